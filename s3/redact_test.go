package s3

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	environment(t, "http://localhost")
	t.Setenv("AWS_SESSION_TOKEN", testToken)
	for in, want := range map[string]string{
		"plain text":                    "plain text",
		"a " + testSecret + " b":        "a [hidden] b",
		"a " + testToken + ", b":        "a [hidden], b",
		"http://user:pw@host/path":      "http://[hidden]@host/path",
		"?X-Amz-Signature=0a1b&x=y":     "?X-Amz-Signature=[hidden]&x=y",
		"?X-Amz-Security-Token=a%2Fb&x": "?X-Amz-Security-Token=[hidden]&x",
		"Authorization: AWS4-HMAC-SHA256 Credential=AK/d/r, Signature=beef": "Authorization: [hidden] [hidden]",
		"two\nlines\x1b[2J": "two lines [2J",
		"given":             "[hidden]",
	} {
		if got := redact(in, "given", ""); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// Nothing that is printed has a secret in it: whatever fails, and whatever the
// server repeats.
func TestNoSecretIsPrinted(t *testing.T) {
	s := serve(t)
	const (
		fileSecret = "planted-file-secret-000000000000000000"
		proxyUser  = "planteduser:plantedpassword"
	)
	planted := []string{testSecret, testToken, fileSecret, "plantedpassword", "planteduser", "plantedsignature", "plantedcontainertoken"}
	var printed []string
	print := func(err error) {
		if err != nil {
			printed = append(printed, err.Error(), fmt.Sprintf("%v|%s|%q|%+v", err, err, err, err))
		}
	}
	o := s.options()
	o.Retries = -1
	o.Log = func(line string) { printed = append(printed, line) }
	attempt := func(object string) {
		u, err := Create(t.Context(), object, o)
		print(err)
		if err == nil {
			sum, err := drain(t.Context(), t, u, random(3*testPart), nil)
			print(err)
			printed = append(printed, sum.String(), fmt.Sprintf("%+v", sum))
		}
		_, err = Resume(t.Context(), object, "", o)
		print(err)
		ob, err := Open(t.Context(), object, o)
		print(err)
		if err == nil {
			_, sum, err := fill(t.Context(), t, ob)
			print(err)
			printed = append(printed, sum.String())
		}
	}

	attempt(Scheme + testBucket + "/k")
	attempt(Scheme + proxyUser + "@" + testBucket + "/k")
	t.Setenv("AWS_SESSION_TOKEN", testToken)
	for _, what := range []string{"create", "part", "complete", "put", "head", "get", "uploads", "parts"} {
		s.fault(func(w http.ResponseWriter, r *http.Request) bool {
			if kind(r) != what {
				return false
			}
			// A server that tells what it has got, and more.
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>%s\n%s %s&amp;X-Amz-Signature=plantedsignature %s</Message></Error>",
				r.Header.Get("X-Amz-Security-Token"), r.Header.Get("Authorization"), testSecret, r.URL, testToken)
			return true
		})
		attempt(Scheme + testBucket + "/" + what)
	}
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Location", "http://"+proxyUser+"@localhost:1/?X-Amz-Signature=plantedsignature")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
	attempt(Scheme + testBucket + "/redirect")
	s.fault(nil)

	for _, endpoint := range []string{"http://" + proxyUser + "@localhost:1", "http://" + proxyUser + "@local host", proxyUser, "http://localhost:1/" + testSecret, "http://localhost:1?X-Amz-Signature=plantedsignature"} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		attempt(Scheme + testBucket + "/endpoint")
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://localhost:1")
	attempt(Scheme + testBucket + "/refused")

	t.Setenv("AWS_ENDPOINT_URL", s.http.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SESSION_TOKEN", "")
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	for _, text := range []string{
		"[default]\naws_access_key_id = AK\naws_secret_access_key = " + fileSecret + "\n",
		"[default\n" + fileSecret + "\n",
		"[default]\n" + fileSecret + "\naws_access_key_id\n",
		"[default]\nrole_arn = x\nsource_profile = " + fileSecret + "\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_CONFIG_FILE", "")
		attempt(Scheme + testBucket + "/file")
		t.Setenv("AWS_CONFIG_FILE", file)
		attempt(Scheme + testBucket + "/file")
	}

	t.Setenv("AWS_CONFIG_FILE", "")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "plantedcontainertoken")
	s.fault(func(w http.ResponseWriter, r *http.Request) bool {
		if kind(r) == "head" {
			return false
		}
		answerError(w, http.StatusBadRequest, fileSecret+" plantedcontainertoken")
		return true
	})
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = AK\naws_secret_access_key = "+fileSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	attempt(Scheme + testBucket + "/told")

	if len(printed) < 100 {
		t.Fatalf("only %d lines", len(printed))
	}
	for _, line := range printed {
		for _, secret := range planted {
			if strings.Contains(line, secret) {
				t.Errorf("%q is in %q", secret, line)
			}
		}
	}
}

// What a test asks for is done.
func TestHTTPIsSaidOnce(t *testing.T) {
	s := serve(t)
	if _, err := drain(t.Context(), t, create(t, "k", s.options()), random(3*testPart), nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(s.lines, "\n"), "is not encrypted"); n != 1 {
		t.Errorf("said %d times: %q", n, s.lines)
	}
	if !s.said("at most 195 MiB: give --size or -m") { // 10,000 parts of 20 KiB
		t.Error(s.lines)
	}
}
