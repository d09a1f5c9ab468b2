// A learner in Go would begin like this: a session of 8 environments, stepped through the stream with random actions.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	pb "ccpark.example/client/ccparkv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	const envs, steps = 8, 1000
	credentials := grpc.WithTransportCredentials(insecure.NewCredentials())
	client := pb.NewEnvServiceClient(must(grpc.NewClient(os.Args[1], credentials)))
	session := must(client.CreateSession(context.Background(), &pb.CreateSessionRequest{
		EnvId:          "ccpark/CongestionControl-v0",
		NumEnvs:        envs,
		Kwargs:         must(structpb.NewStruct(map[string]any{"scenario": "park-paper", "durationSec": 5})),
		NumberEncoding: pb.NumberEncoding_NUMBER_ENCODING_REPEATED, // numbers instead of packed bytes
	}))
	stream := must(client.Connect(context.Background()))
	ask := func(request *pb.ConnectRequest) *pb.ConnectResponse {
		must(0, stream.Send(request))
		return must(stream.Recv())
	}
	ask(&pb.ConnectRequest{Payload: &pb.ConnectRequest_Attach{Attach: &pb.AttachRequest{
		SessionId: session.SessionId, SessionToken: session.SessionToken}}})
	ask(&pb.ConnectRequest{Payload: &pb.ConnectRequest_Reset_{Reset_: &pb.ResetRequest{
		Seq: 1, Seeding: &pb.ResetRequest_Seed{Seed: 1}}}})
	for seq := uint64(2); seq < 2+steps; seq++ {
		actions := make([]float32, envs)
		for i := range actions {
			actions[i] = float32(rand.NormFloat64() * 0.2) // log2 of the change of the window
		}
		step := ask(&pb.ConnectRequest{Payload: &pb.ConnectRequest_Step{Step: &pb.StepRequest{
			Seq: seq, ActionValues: actions}}}).GetStep()
		for _, episode := range step.GetEpisodes() {
			fmt.Printf("environment %d: %d steps, score %.2f\n", episode.Row, episode.Length, episode.Metrics["score"])
		}
	}
	must(client.CloseSession(context.Background(), &pb.CloseSessionRequest{
		SessionId: session.SessionId, SessionToken: session.SessionToken}))
}
