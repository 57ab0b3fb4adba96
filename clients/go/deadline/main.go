// Waits so long and no longer; what was committed until then is final: go run ./deadline "Tell me a story." 300ms
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"

	"google.golang.org/grpc/status"
)

func main() {
	patience, err := time.ParseDuration(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tokens := map[int32]string{}
	stream, err := contract.Connect().Generate(ctx, contract.Question(256, contract.Text(os.Args[1])))
	for err == nil {
		var event *pb.GenerateResponse
		event, err = stream.Recv()
		for _, token := range event.GetStep().GetCommitted() {
			tokens[token.GetPosition()] = token.GetText()
		}
	}
	fmt.Println("ended with", status.Code(err), "and", len(tokens), "tokens")
}
