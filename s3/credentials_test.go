package s3

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// use uploads and reads an object.
func use(t *testing.T, o Options) error {
	t.Helper()
	o.Overwrite = true
	u, err := Create(t.Context(), Scheme+testBucket+"/k", o)
	if err != nil {
		return err
	}
	want := random(2*testPart + 1)
	if _, err := drain(t.Context(), t, u, want, nil); err != nil {
		return err
	}
	ob, err := Open(t.Context(), Scheme+testBucket+"/k", o)
	if err != nil {
		return err
	}
	got, _, err := fill(t.Context(), t, ob)
	if err == nil && !bytes.Equal(got, want) {
		return fmt.Errorf("%d other bytes", len(got))
	}
	return err
}

// noKeys takes the credentials out of the environment.
func noKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCredentialsOfTheEnvironment(t *testing.T) {
	s := serve(t)
	if err := use(t, s.options()); err != nil {
		t.Error(err)
	}
	t.Setenv("AWS_SESSION_TOKEN", testToken)
	var told atomic.Bool
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("X-Amz-Security-Token") == testToken {
			told.Store(true)
		}
		return false
	})
	if err := use(t, s.options()); err != nil || !told.Load() {
		t.Error(err, told.Load())
	}
}

func TestCredentialsOfFiles(t *testing.T) {
	s := serve(t)
	noKeys(t)
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", write(t, "credentials",
		fmt.Sprintf("[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n[mine]\naws_access_key_id = %s\naws_secret_access_key = %s\n", testKey, testSecret)))
	t.Setenv("AWS_CONFIG_FILE", write(t, "config", fmt.Sprintf("[profile mine]\nregion = eu-test-1\nendpoint_url = %s\ns3 =\n  x = y\n", s.http.URL)))
	t.Setenv("AWS_PROFILE", "mine")
	var region atomic.Bool
	s.fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/eu-test-1/s3/") {
			region.Store(true)
		}
		return false
	})
	if err := use(t, s.options()); err != nil || !region.Load() {
		t.Error(err, region.Load())
	}
}

// A role answers as the metadata of a container or an instance does.
func role() string {
	return fmt.Sprintf(`{"Code": "Success", "AccessKeyId": %q, "SecretAccessKey": %q, "Token": %q, "Expiration": %q}`,
		testKey, testSecret, testToken, time.Now().Add(time.Hour).Format(time.RFC3339))
}

func TestCredentialsOfAContainer(t *testing.T) {
	s := serve(t)
	noKeys(t)
	container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "planted" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, role())
	}))
	defer container.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.URL)
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "planted")
	if err := use(t, s.options()); err != nil {
		t.Error(err)
	}
}

func TestCredentialsOfAnInstance(t *testing.T) {
	s := serve(t)
	noKeys(t)
	instance := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/latest/api/token":
			fmt.Fprint(w, "session")
		case r.Header.Get("X-aws-ec2-metadata-token") != "session":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/role"):
			fmt.Fprint(w, role())
		default:
			fmt.Fprint(w, "role")
		}
	}))
	defer instance.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.URL)
	if err := use(t, s.options()); err != nil {
		t.Error(err)
	}
}

// Where there is no instance, nothing answers: that takes one second, once.
func TestNoInstance(t *testing.T) {
	s := serve(t)
	noKeys(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+l.Addr().String())
	o := s.options()
	o.Stall = time.Minute
	start := time.Now()
	err = use(t, o)
	if status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "there are no credentials") {
		t.Error(err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d) // three seconds of the library's own, for each of several requests
	}
}

func TestCABundle(t *testing.T) {
	s := serve(t)
	secure := httptest.NewTLSServer(s)
	defer secure.Close()
	t.Setenv("AWS_ENDPOINT_URL", secure.URL)
	if err := use(t, s.options()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	file := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	t.Setenv("AWS_CA_BUNDLE", file)
	o := s.options()
	if err := use(t, o); err != nil {
		t.Error(err)
	}
	if s.said("is not encrypted") {
		t.Error(s.lines)
	}
}
