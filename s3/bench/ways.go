//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/minio-go/v7"
	keys "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/s3"
)

const (
	depth  = 4
	part   = 12 << 20 // what bytering takes without -m
	bucket = "bucket"
)

// A way moves a stream into an object, from standard input, or an object to
// standard output. It is a function for a process of its own, or a command.
type way struct {
	name    string
	up      func(ctx context.Context, key string) error
	down    func(ctx context.Context, key string) error
	command func(key string, up bool) []string
}

var ways = []way{
	{name: "bytering", up: ringUp, down: ringDown},
	{name: "minio-go", up: minioUp(minio.PutObjectOptions{}), down: minioDown(minio.GetObjectOptions{})},
	{
		name: "minio-go tuned",
		up:   minioUp(minio.PutObjectOptions{ConcurrentStreamParts: true, NumThreads: depth, PartSize: part, DisableContentSha256: true}),
		down: minioDown(minio.GetObjectOptions{ParallelWorkers: depth}),
	},
	{name: "transfermanager", up: managerUp, down: managerDown},
	{name: "rclone", command: func(key string, up bool) []string {
		verb := "cat"
		if up {
			verb = "rcat"
		}
		return []string{
			"rclone", verb, "--config=", "--s3-provider=Other", "--s3-env-auth", "--s3-endpoint=" + os.Getenv("AWS_ENDPOINT_URL"),
			"--s3-no-check-bucket", "--size-only", "--s3-disable-checksum", fmt.Sprintf("--s3-upload-concurrency=%d", depth), fmt.Sprintf("--s3-chunk-size=%dM", part>>20),
			":s3:" + bucket + "/" + key,
		}
	}},
	{name: "aws", command: func(key string, up bool) []string {
		object := s3.Scheme + bucket + "/" + key
		args := []string{"aws", "--endpoint-url", os.Getenv("AWS_ENDPOINT_URL"), "s3", "cp", object, "-"}
		if up {
			args[5], args[6] = "-", object
		}
		return args
	}},
}

// there reports whether the way can be gone here.
func (w way) there() bool {
	if w.command == nil {
		return true
	}
	_, err := exec.LookPath(w.command("", true)[0])
	return err == nil
}

// version returns what the command of the way says it is.
func (w way) version() string {
	name := w.command("", true)[0]
	flag := map[string]string{"rclone": "version", "aws": "--version"}[name]
	out, err := exec.Command(name, flag).Output()
	if err != nil {
		return name + " does not say its version: " + err.Error()
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// run goes the way in this process, and says on standard error how much it has
// allocated.
func (w way) run(key string, up bool) error {
	f := w.down
	if up {
		f = w.up
	}
	if err := f(context.Background(), key); err != nil {
		return err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintln(os.Stderr, "allocated", m.TotalAlloc)
	return nil
}

func ringUp(ctx context.Context, key string) error {
	u, err := s3.Create(ctx, s3.Scheme+bucket+"/"+key, s3.Options{Overwrite: true})
	if err != nil {
		return err
	}
	p, c, err := bytering.New(int(u.Plan().Ring()), bytering.Mapped())
	if err != nil {
		return err
	}
	go func() {
		_, err := p.ReadFrom(os.Stdin)
		p.CloseWithError(err)
	}()
	_, err = u.Drain(ctx, c)
	return err
}

func ringDown(ctx context.Context, key string) error {
	o, err := s3.Open(ctx, s3.Scheme+bucket+"/"+key, s3.Options{})
	if err != nil {
		return err
	}
	p, c, err := bytering.New(int(o.Plan().Ring()), bytering.Mapped())
	if err != nil {
		return err
	}
	go func() {
		_, err := o.Fill(ctx, p)
		p.CloseWithError(err)
	}()
	_, err = c.WriteTo(os.Stdout)
	return err
}

func client() (*minio.Client, error) {
	return minio.New(os.Getenv("ADDRESS"), &minio.Options{Creds: keys.NewEnvAWS(), Region: "us-east-1"})
}

func minioUp(opts minio.PutObjectOptions) func(context.Context, string) error {
	return func(ctx context.Context, key string) error {
		c, err := client()
		if err != nil {
			return err
		}
		_, err = c.PutObject(ctx, bucket, key, os.Stdin, -1, opts)
		return err
	}
}

func minioDown(opts minio.GetObjectOptions) func(context.Context, string) error {
	return func(ctx context.Context, key string) error {
		c, err := client()
		if err != nil {
			return err
		}
		o, err := c.GetObject(ctx, bucket, key, opts)
		if err != nil {
			return err
		}
		_, err = io.Copy(os.Stdout, o)
		return err
	}
}

func manager() *transfermanager.Client {
	c := sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	return transfermanager.New(c, func(o *transfermanager.Options) { o.Concurrency, o.PartSizeBytes = depth, part })
}

func managerUp(ctx context.Context, key string) error {
	_, err := manager().UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: struct{ io.Reader }{os.Stdin}}) // which seems to seek
	return err
}

func managerDown(ctx context.Context, key string) error {
	o, err := manager().GetObject(ctx, &transfermanager.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, o.Body)
	return err
}
