// Asks one question about one picture: go run ./ask picture.png "What does it show?"
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"
)

func main() {
	picture, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	image := &pb.Part{Content: &pb.Part_Image{Image: &pb.Image{Data: picture}}}
	request := contract.Question(32, image, contract.Text(os.Args[2]))
	stream, err := contract.Connect().Generate(context.Background(), request)
	for err == nil {
		var event *pb.GenerateResponse
		if event, err = stream.Recv(); event.GetFinished() != nil {
			fmt.Println(event.GetFinished().GetText())
			return
		}
	}
	log.Fatal(err)
}
