// Asks again when the server is overloaded, after the time it names: go run ./retry "What is this?"
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"
	"log"
	"os"
	"time"
)

func main() {
	client, request := contract.Connect(), contract.Question(32, contract.Text(os.Args[1]))
	request.IdempotencyKey = rand.Text() // asking twice answers once
	for {
		stream, err := client.Generate(context.Background(), request)
		for err == nil {
			var event *pb.GenerateResponse
			if event, err = stream.Recv(); event.GetFinished() != nil {
				fmt.Println(event.GetFinished().GetText())
				return
			}
		}
		waited := false
		for _, detail := range status.Convert(err).Details() {
			if info, ok := detail.(*errdetails.RetryInfo); ok {
				time.Sleep(info.GetRetryDelay().AsDuration())
				waited = true
			}
		}
		if !waited {
			log.Fatal(err)
		}
	}
}
