// Shows a reply as text that only grows: go run ./stream "Tell me a story."
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"
)

func main() {
	request := contract.Question(32, contract.Text(os.Args[1]))
	request.Stream = &pb.StreamOptions{Mode: pb.StreamMode_STREAM_MODE_BLOCK_APPEND}
	stream, err := contract.Connect().Generate(context.Background(), request)
	for err == nil {
		var event *pb.GenerateResponse
		event, err = stream.Recv()
		fmt.Print(event.GetAppended().GetText()) // never taken back
	}
	if err != io.EOF {
		log.Fatal(err)
	}
	fmt.Println()
}
