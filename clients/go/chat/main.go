// Holds a dialogue, a turn per line: printf 'My name is Ada.\nWhat is my name?\n' | go run ./chat
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"lladav.io/examples/contract"
	pb "lladav.io/examples/gen/lladavv1"
	"log"
	"os"
)

func main() {
	stream, err := contract.Conversations().Chat(context.Background())
	if err == nil {
		create := &pb.NewConversation{Decoding: contract.Question(32).GetDecoding()}
		open := &pb.OpenConversation{Conversation: &pb.OpenConversation_Create{Create: create}}
		err = stream.Send(&pb.ChatRequest{Content: &pb.ChatRequest_Open{Open: open}})
	}
	lines := bufio.NewScanner(os.Stdin)
	for err == nil {
		var event *pb.ChatResponse
		event, err = stream.Recv()
		reply := event.GetReply().GetFinished()
		if reply != nil {
			fmt.Printf("%d: %s\n", event.GetTurn(), reply.GetText())
		}
		if (reply != nil || event.GetOpened() != nil) && lines.Scan() {
			turn := &pb.Turn{Parts: []*pb.Part{contract.Text(lines.Text())}}
			err = stream.Send(&pb.ChatRequest{Content: &pb.ChatRequest_Turn{Turn: turn}})
		} else if reply != nil {
			err = stream.CloseSend()
		}
	}
	if err != io.EOF {
		log.Fatal(err)
	}
}
