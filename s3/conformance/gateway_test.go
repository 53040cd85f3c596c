// Package conformance tests package s3 against a whole server of the protocol: its
// signatures, multipart uploads and checksums.
package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/s3"
)

const (
	bucket = "bucket"
	access = "AKIDPLANTED000000001"
	secret = "planted/secret+key/0123456789abcdefghijk"
	part   = 5 << 20
)

var other *minio.Core // another client of the server

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// run runs the tests with a server, which there can be one of in a process.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	data, side := filepath.Join(dir, "data"), filepath.Join(dir, "side")
	for _, d := range []string{data, side} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return 1, err
		}
	}
	attributes, err := meta.NewSideCar(side)
	if err != nil {
		return 1, err
	}
	store, err := posix.New(data, attributes, posix.PosixOpts{})
	if err != nil {
		return 1, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1, err
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	defer served.Wait()
	defer cancel()
	failed := make(chan error, 1)
	served.Go(func() {
		failed <- embedgw.RunVersityGW(ctx, store, &embedgw.Config{
			RootUserAccess: access, RootUserSecret: secret, Ports: []string{address},
			MaxConnections: 100, MaxRequests: 100, MultipartMaxParts: 10_000, Quiet: true, KeepAlive: true,
		})
	})
	if other, err = minio.NewCore(address, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Region: "us-east-1"}); err != nil {
		return 1, err
	}
	for made := false; !made; {
		select {
		case err := <-failed:
			return 1, err
		case <-time.After(50 * time.Millisecond):
			made = other.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}) == nil
		}
	}
	for k, v := range map[string]string{
		"HOME": dir, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://" + address, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_CA_BUNDLE": "",
	} {
		os.Setenv(k, v)
	}
	return m.Run(), nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// drain sends b, and then end.
func drain(t *testing.T, u *s3.Upload, b []byte, end error) (s3.Summary, error) {
	t.Helper()
	p, c, err := bytering.New(int(u.Plan().Ring()))
	if err != nil {
		t.Fatal(err)
	}
	var fed sync.WaitGroup
	fed.Go(func() {
		p.Write(b)
		p.CloseWithError(end)
	})
	s, err := u.Drain(t.Context(), c)
	c.Close()
	fed.Wait()
	return s, err
}

func create(t *testing.T, key string, o s3.Options) *s3.Upload {
	t.Helper()
	u, err := s3.Create(t.Context(), "s3://"+bucket+"/"+key, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// object reads an object by another client.
func object(t *testing.T, key string) []byte {
	t.Helper()
	r, _, _, err := other.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
	if minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, key string) ([]byte, s3.Summary, error) {
	t.Helper()
	ob, err := s3.Open(t.Context(), "s3://"+bucket+"/"+key, s3.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, c, err := bytering.New(int(ob.Plan().Ring()))
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	var done sync.WaitGroup
	done.Go(func() { c.WriteTo(&got); c.Close() })
	s, err := ob.Fill(t.Context(), p)
	p.CloseWithError(err)
	done.Wait()
	return got.Bytes(), s, err
}

// What is uploaded is what is there, and both ways the server confirms it.
func TestChecksums(t *testing.T) {
	for sum, name := range map[string]string{"": "CRC64NVME", "crc32c": "CRC32C", "crc32": "CRC32", "sha256": "SHA256", "sha1": "SHA1", "md5": "MD5"} {
		for _, n := range []int{0, 100, part, part + 1, 3*part + 7} {
			data := random(n)
			o := s3.Options{Memory: 2 * part, Overwrite: true, Checksum: sum}
			s, err := drain(t, create(t, "k", o), data, nil)
			if err != nil || !strings.HasPrefix(s.Verified, name+" ") {
				t.Errorf("%q, %d bytes: %+v, %v", sum, n, s, err)
			}
			if got := object(t, "k"); !bytes.Equal(got, data) {
				t.Errorf("%q, %d bytes: another object of %d", sum, n, len(got))
			}
			got, s, err := read(t, "k")
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%q, %d bytes: read %d, %v", sum, n, len(got), err)
			}
			if crc := strings.HasPrefix(name, "CRC"); crc && !strings.HasPrefix(s.Verified, name+" ") {
				t.Errorf("%q, %d bytes: read, verified by %q", sum, n, s.Verified)
			}
		}
	}
}

// An object that exists, or comes into being meanwhile, stays.
func TestExclusive(t *testing.T) {
	for _, n := range []int{10, 3 * part} {
		key := fmt.Sprintf("exclusive%d", n)
		u := create(t, key, s3.Options{Memory: 2 * part})
		theirs := []byte("theirs")
		if _, err := other.Client.PutObject(t.Context(), bucket, key, bytes.NewReader(theirs), int64(len(theirs)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := drain(t, u, random(n), nil); !errors.Is(err, s3.ErrExists) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := s3.Create(t.Context(), "s3://"+bucket+"/"+key, s3.Options{}); !errors.Is(err, s3.ErrExists) {
			t.Error(err)
		}
		if got := object(t, key); !bytes.Equal(got, theirs) {
			t.Errorf("%d bytes: it is %d bytes now", n, len(got))
		}
	}
}

// The server heeds the condition, and the probe finds that out and leaves nothing.
func TestProbe(t *testing.T) {
	var lines []string
	create(t, "probed", s3.Options{Memory: 2 * part, Probe: true, Log: func(line string) { lines = append(lines, line) }})
	for _, line := range lines {
		if strings.Contains(line, "If-None-Match") {
			t.Error(line)
		}
	}
	for o := range other.Client.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Prefix: "probed"}) {
		t.Errorf("left: %s %v", o.Key, o.Err)
	}
	left, err := other.ListMultipartUploads(t.Context(), bucket, "probed", "", "", "", 10)
	if err != nil || len(left.Uploads) > 0 {
		t.Errorf("%d uploads are left, error %v", len(left.Uploads), err)
	}
}

func TestResume(t *testing.T) {
	data := random(5*part + 9)
	for _, sum := range []string{"", "crc32c", "crc32", "sha256", "sha1", "md5"} {
		key := "resume" + sum
		planted := errors.New("planted")
		_, err := drain(t, create(t, key, s3.Options{Memory: 2 * part, Checksum: sum}), data[:3*part+100], planted)
		var failed *s3.Error
		if !errors.As(err, &failed) || !errors.Is(err, planted) || failed.UploadID == "" || failed.Safe != 3*part+100 || object(t, key) != nil {
			t.Fatalf("%q: %+v", sum, err)
		}
		wrong := bytes.Clone(data)
		wrong[2*part]++
		for _, c := range []struct {
			data []byte
			err  error
		}{{wrong, s3.ErrDiffers}, {data[:part], s3.ErrDiffers}, {data, nil}} {
			u, err := s3.Resume(t.Context(), "s3://"+bucket+"/"+key, "", s3.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := drain(t, u, c.data, nil)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || (object(t, key) != nil) != (err == nil) {
				t.Fatalf("%q: %+v, %v", sum, s, err)
			}
			if err == nil && (s.Sent != 2*part+9 || s.Verified == "") {
				t.Errorf("%q: %+v", sum, s)
			}
		}
		if !bytes.Equal(object(t, key), data) {
			t.Errorf("%q: another object", sum)
		}
	}
}

func TestAbort(t *testing.T) {
	_, err := drain(t, create(t, "abort", s3.Options{Memory: 2 * part, Abort: true}), random(3*part), errors.New("planted"))
	var failed *s3.Error
	if !errors.As(err, &failed) || failed.UploadID != "" || failed.Safe != 0 {
		t.Errorf("%+v", err)
	}
	left, err := other.ListMultipartUploads(t.Context(), bucket, "abort", "", "", "", 10)
	if err != nil || len(left.Uploads) != 0 {
		t.Error(left.Uploads, err)
	}
}

func TestHeaders(t *testing.T) {
	for _, n := range []int{10, part + 1} {
		o := s3.Options{
			Memory: 2 * part, Overwrite: true, ContentMD5: true, ContentType: "text/x-planted",
			Metadata: map[string]string{"Colour": "blue", "Content-Type": "mine"},
		}
		if _, err := drain(t, create(t, "headers", o), random(n), nil); err != nil {
			t.Fatal(err)
		}
		info, err := other.StatObject(t.Context(), bucket, "headers", minio.StatObjectOptions{})
		if err != nil || info.ContentType != "text/x-planted" || info.UserMetadata["Colour"] != "blue" || info.UserMetadata["Content-Type"] != "mine" {
			t.Errorf("%d bytes: %+v, %v", n, info, err)
		}
	}
}

// A wrong secret is refused, at once and without being told.
func TestWrongSecret(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another-planted-secret")
	start := time.Now()
	_, err := drain(t, create(t, "denied", s3.Options{Memory: 2 * part}), random(10), nil)
	if err == nil || !strings.Contains(err.Error(), "403") || strings.Contains(err.Error(), "another-planted-secret") || time.Since(start) > 5*time.Second {
		t.Error(err)
	}
}
