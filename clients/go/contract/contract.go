// Package contract connects to a gateway and asks simple questions.
package contract

import (
	"log"
	"os"

	pb "lladav.io/examples/gen/lladavv1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// Connect returns a client of the gateway named by LLADAV_TARGET.
func Connect() pb.GenerationServiceClient { return pb.NewGenerationServiceClient(connection()) }

// Conversations returns a client of the dialogues that gateway holds.
func Conversations() pb.ConversationServiceClient {
	return pb.NewConversationServiceClient(connection())
}

func connection() *grpc.ClientConn {
	target := os.Getenv("LLADAV_TARGET")
	if target == "" {
		target = "localhost:7400"
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	return connection
}

// Question is one question of a user.
func Question(genLength int32, parts ...*pb.Part) *pb.GenerateRequest {
	return &pb.GenerateRequest{
		Messages: []*pb.Message{{Role: pb.Role_ROLE_USER, Parts: parts}},
		Decoding: &pb.DecodingSettings{GenLength: proto.Int32(genLength)},
	}
}

// Text is a part of a message.
func Text(text string) *pb.Part { return &pb.Part{Content: &pb.Part_Text{Text: text}} }
