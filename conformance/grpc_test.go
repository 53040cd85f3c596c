package conformance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bytering/bytering/memconn"
)

// echoService has a unary method and one that streams both ways. It is registered
// by hand, so that no code must be generated.
var echoService = grpc.ServiceDesc{
	ServiceName: "Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Once",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			return in, dec(in)
		},
	}},
	Streams: []grpc.StreamDesc{{
		StreamName:    "Stream",
		ServerStreams: true,
		ClientStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			for {
				m := new(wrapperspb.BytesValue)
				if err := s.RecvMsg(m); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(m); err != nil {
					return err
				}
			}
		},
	}},
}

func TestGRPC(t *testing.T) {
	for name, opts := range buffers {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			l := memconn.Listen(opts...)
			srv := grpc.NewServer()
			healthpb.RegisterHealthServer(srv, health.NewServer())
			srv.RegisterService(&echoService, nil)
			served := make(chan error)
			go func() { served <- srv.Serve(l) }()
			cc, err := grpc.NewClient("passthrough:///"+l.Addr().String(), // the target that DialAddr's doc gives
				grpc.WithContextDialer(l.DialAddr),
				grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				cc.Close()
				srv.GracefulStop()
				if err := <-served; err != nil {
					t.Errorf("Serve: %v", err)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()

			resp, err := healthpb.NewHealthClient(cc).Check(ctx, new(healthpb.HealthCheckRequest))
			if err != nil || resp.Status != healthpb.HealthCheckResponse_SERVING {
				t.Errorf("health: %v, %v", resp, err)
			}
			for _, size := range []int{0, 1, 1000, 200_000} {
				body := bytes.Repeat([]byte{byte(size)}, size)
				out := new(wrapperspb.BytesValue)
				if err := cc.Invoke(ctx, "/Echo/Once", wrapperspb.Bytes(body), out); err != nil || !bytes.Equal(out.Value, body) {
					t.Errorf("a message of %d bytes came back with %d, %v", size, len(out.Value), err)
				}
			}

			s, err := cc.NewStream(ctx, &echoService.Streams[0], "/Echo/Stream")
			if err != nil {
				t.Fatal(err)
			}
			const messages = 300
			go func() {
				for i := range messages {
					if err := s.SendMsg(wrapperspb.Bytes(bytes.Repeat([]byte{byte(i)}, 10*i))); err != nil {
						t.Errorf("SendMsg: %v", err)
						break
					}
				}
				s.CloseSend()
			}()
			for i := range messages {
				out := new(wrapperspb.BytesValue)
				if err := s.RecvMsg(out); err != nil || !bytes.Equal(out.Value, bytes.Repeat([]byte{byte(i)}, 10*i)) {
					t.Fatalf("message %d: %d bytes, %v", i, len(out.Value), err)
				}
			}
			if err := s.RecvMsg(new(wrapperspb.BytesValue)); err != io.EOF {
				t.Errorf("after the last message: %v", err)
			}
		})
	}
}

// A server that is stopped in the middle of a call ends the call as unavailable. A
// listener that is closed does the same to a dial.
func TestGRPCUnavailable(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := memconn.Listen()
	srv := grpc.NewServer()
	srv.RegisterService(&echoService, nil)
	go srv.Serve(l)
	cc, err := grpc.NewClient("passthrough:///"+l.Addr().String(),
		grpc.WithContextDialer(l.DialAddr),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	s, err := cc.NewStream(context.Background(), &echoService.Streams[0], "/Echo/Stream")
	if err != nil {
		t.Fatal(err)
	}
	m := new(wrapperspb.BytesValue)
	if err := errors.Join(s.SendMsg(m), s.RecvMsg(m)); err != nil {
		t.Fatal(err)
	}
	srv.Stop()
	if err := s.RecvMsg(m); status.Code(err) != codes.Unavailable {
		t.Errorf("RecvMsg: %v", err)
	}
	if err := cc.Invoke(context.Background(), "/Echo/Once", m, m); status.Code(err) != codes.Unavailable {
		t.Errorf("Invoke: %v", err)
	}
}
