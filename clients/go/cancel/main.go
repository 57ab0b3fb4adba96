// Stops a reply after three steps; the server stops within one more: go run ./cancel "Tell me a story."
package main

import (
	"context"
	"fmt"
	"os"

	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"

	"google.golang.org/grpc/status"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := contract.Connect().Generate(ctx, contract.Question(256, contract.Text(os.Args[1])))
	for err == nil {
		var event *pb.GenerateResponse
		if event, err = stream.Recv(); event.GetStep().GetNumber() == 3 {
			cancel()
		}
	}
	fmt.Println("ended with", status.Code(err))
}
