package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// profiles sets the shared configuration, of which "mine" is the profile that is used.
func profiles(t *testing.T, credentials, config string) {
	noKeys(t)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", write(t, "credentials", credentials))
	t.Setenv("AWS_CONFIG_FILE", write(t, "config", config))
	t.Setenv("AWS_PROFILE", "mine")
}

// A roles is a service that gives the credentials of the test to who asks for a role.
type roles struct {
	mu    sync.Mutex
	asked []url.Values
	signs []string // Authorization
	life  time.Duration
	fails bool
}

// serveRoles starts the service.
func serveRoles(t *testing.T) *roles {
	r := &roles{life: time.Hour}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	return r
}

func (r *roles) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, _ := io.ReadAll(req.Body)
	form, err := url.ParseQuery(string(b))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.signs = append(r.asked, form), append(r.signs, req.Header.Get("Authorization"))
	action := form.Get("Action")
	if err != nil || action == "" || r.fails {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Code>AccessDenied</Code><Message>planted %s</Message></Error></ErrorResponse>", "planted-base-secret-0123")
		return
	}
	fmt.Fprintf(w, "<%[1]sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId><SecretAccessKey>%[3]s</SecretAccessKey><SessionToken>%[4]s</SessionToken><Expiration>%[5]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>",
		action, testKey, testSecret, testToken, time.Now().Add(r.life).UTC().Format(time.RFC3339))
}

const sourceKeys = "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = planted-base-secret-0123\n"

func TestRoleOfAProfile(t *testing.T) {
	token := write(t, "token", "planted-web-token")
	for name, tc := range map[string]struct {
		credentials, config string
		by                  string // the key that signs for the role
		asks                map[string]string
	}{
		"source_profile": {
			sourceKeys, "[profile mine]\nrole_arn = arn:a\nsource_profile = base\nrole_session_name = s\nexternal_id = x\nduration_seconds = 900\n",
			"AKIDBASE", map[string]string{"Action": "AssumeRole", "RoleArn": "arn:a", "RoleSessionName": "s", "ExternalId": "x", "DurationSeconds": "900"},
		},
		"itself": {
			"[mine]\naws_access_key_id = AKIDMINE\naws_secret_access_key = planted-own-secret\n", "[profile mine]\nrole_arn = arn:a\nsource_profile = mine\n",
			"AKIDMINE", map[string]string{"RoleArn": "arn:a"},
		},
		"keys of its own": {
			"[mine]\naws_access_key_id = AKIDMINE\naws_secret_access_key = planted-own-secret\n", "[profile mine]\nrole_arn = arn:a\n",
			"AKIDMINE", map[string]string{"RoleArn": "arn:a"},
		},
		"two roles": {
			sourceKeys, "[profile mine]\nrole_arn = arn:b\nsource_profile = other\n[profile other]\nrole_arn = arn:a\nsource_profile = base\n",
			testKey, map[string]string{"RoleArn": "arn:b"},
		},
		"process": {
			"", "[profile mine]\nrole_arn = arn:a\nsource_profile = other\n[profile other]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKIDPROC\", \"SecretAccessKey\": \"planted-process-secret\"}'\n",
			"AKIDPROC", map[string]string{"RoleArn": "arn:a"},
		},
		"Environment": {
			"", "[profile mine]\nrole_arn = arn:a\ncredential_source = Environment\n", "", nil,
		},
		"EcsContainer": {
			"", "[profile mine]\nrole_arn = arn:a\ncredential_source = EcsContainer\n", testKey, map[string]string{"RoleArn": "arn:a"},
		},
		"Ec2InstanceMetadata": {
			"", "[profile mine]\nrole_arn = arn:a\ncredential_source = Ec2InstanceMetadata\n", testKey, map[string]string{"RoleArn": "arn:a"},
		},
		"web identity": {
			"", "[profile mine]\nrole_arn = arn:w\nweb_identity_token_file = " + token + "\n",
			"", map[string]string{"Action": "AssumeRoleWithWebIdentity", "RoleArn": "arn:w", "WebIdentityToken": "planted-web-token"},
		},
		"web identity of the environment": {
			sourceKeys, "[profile mine]\n", "", map[string]string{"RoleArn": "arn:env", "WebIdentityToken": "planted-web-token"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			r := serveRoles(t)
			profiles(t, tc.credentials, tc.config)
			switch name {
			case "EcsContainer", "Ec2InstanceMetadata":
				given := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/latest/api/token":
						fmt.Fprint(w, "session")
					case strings.HasSuffix(r.URL.Path, "security-credentials/"):
						fmt.Fprint(w, "role")
					default:
						fmt.Fprint(w, role())
					}
				}))
				defer given.Close()
				if name == "EcsContainer" {
					t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", given.URL)
				}
				t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", given.URL)
			case "web identity of the environment":
				t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
				t.Setenv("AWS_ROLE_ARN", "arn:env")
			case "Environment": // of which the role is for nothing: it comes first
				t.Setenv("AWS_ACCESS_KEY_ID", testKey)
				t.Setenv("AWS_SECRET_ACCESS_KEY", testSecret)
			}
			if err := use(t, s.options()); err != nil {
				t.Fatal(err)
			}
			if tc.asks == nil {
				if len(r.asked) > 0 {
					t.Error(r.asked)
				}
				return
			}
			last := len(r.asked) - 1
			if last < 0 {
				t.Fatal("the role was not asked for")
			}
			for k, want := range tc.asks {
				if got := r.asked[last].Get(k); got != want {
					t.Errorf("%s is %q, not %q", k, got, want)
				}
			}
			if tc.by != "" && !strings.Contains(r.signs[last], "Credential="+tc.by+"/") {
				t.Errorf("signed by %s, not %s", r.signs[last], tc.by)
			}
		})
	}
}

// Credentials that expire are asked for again in the middle of an upload, and the
// request for them has its own body.
func TestRoleExpires(t *testing.T) {
	for _, web := range []bool{false, true} {
		s := serve(t)
		r := serveRoles(t)
		r.life = -time.Minute
		if web {
			profiles(t, "", "[profile mine]\nrole_arn = arn:a\nweb_identity_token_file = "+write(t, "token", "planted-web-token")+"\n")
		} else {
			profiles(t, sourceKeys, "[profile mine]\nrole_arn = arn:a\nsource_profile = base\n")
		}
		if err := use(t, s.options()); err != nil {
			t.Error(err)
		}
		for _, form := range r.asked {
			if form.Get("RoleArn") != "arn:a" {
				t.Errorf("web %v: the body of a request for a role is %.100q", web, form)
			}
		}
		if len(r.asked) < 5 {
			t.Errorf("asked %d times", len(r.asked))
		}
	}
}

// What can't be done is refused by its name, before anything is moved, and nothing
// else is used instead.
func TestProfileRefused(t *testing.T) {
	for _, tc := range []struct{ credentials, config, says string }{
		{"", "", `no profile "mine"`},
		{"", "[profile mine]\nrole_arn = arn:a\n", "has role_arn, and no credentials"},
		{sourceKeys, "[profile mine]\nsource_profile = base\n", "has source_profile without role_arn"},
		{"", "[profile mine]\ncredential_source = Environment\n", "has credential_source without role_arn"},
		{"", "[profile mine]\nrole_arn = arn:a\nsource_profile = none\n", "source_profile that does not exist"},
		{sourceKeys, "[profile mine]\nrole_arn = arn:a\nsource_profile = base\ncredential_source = Environment\n", "has source_profile and credential_source"},
		{"", "[profile mine]\nrole_arn = arn:a\ncredential_source = Elsewhere\n", "credential_source other than"},
		{"", "[profile mine]\nrole_arn = arn:a\nsource_profile = mine\n", "is its own source_profile"},
		{"", "[profile mine]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = mine\n", "is its own source_profile"},
		{sourceKeys, "[profile mine]\nrole_arn = arn:a\nsource_profile = base\nmfa_serial = x\n", "has mfa_serial, which is not supported"},
		{"", "[profile mine]\nlogin_session = x\n", "has login_session, which is not supported"},
		{sourceKeys, "[profile mine]\nrole_arn = arn:a\nsource_profile = base\nduration_seconds = x\n", "duration_seconds"},
		{"[mine]\naws_access_key_id = a\n", "", "has one of aws_access_key_id and aws_secret_access_key"},
	} {
		serve(t)
		profiles(t, tc.credentials, tc.config)
		_, err := Create(t.Context(), Scheme+testBucket+"/k", Options{})
		if !errors.Is(err, ErrOption) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%q: %v", tc.config, err)
		}
	}
}

// A provider that the profile asks for, and that fails, is not passed over.
func TestProfileFails(t *testing.T) {
	for _, tc := range []struct{ config, says string }{
		{"[profile mine]\ncredential_process = exit 3\n", "credential_process: exit status 3"},
		{"[profile mine]\ncredential_process = echo planted-printed\n", "it printed no credentials"},
		{"[profile mine]\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://x\n", "aws sso login"},
		{"[profile mine]\nsso_session = x\n", "sso_role_name"},
		{"[profile mine]\nrole_arn = arn:a\nweb_identity_token_file = /nonexistent/token\n", "/nonexistent/token"},
		{"[profile mine]\nrole_arn = arn:a\nsource_profile = base\n", "planted [hidden]"},
		{"[profile mine]\nrole_arn = arn:a\ncredential_source = Environment\n", "no credentials to ask for the role with"},
	} {
		s := serve(t)
		serveRoles(t).fails = true
		profiles(t, sourceKeys, tc.config)
		_, err := Create(t.Context(), Scheme+testBucket+"/k", s.options())
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), `the profile "mine"`) {
			t.Errorf("%q: %v", tc.config, err)
		} else if strings.Contains(err.Error(), "planted") && !strings.Contains(err.Error(), "planted [hidden]") {
			t.Errorf("%q: %v", tc.config, err)
		}
		if n := s.count("head"); n > 0 {
			t.Errorf("%q: %d requests without credentials", tc.config, n)
		}
	}
}

// A process is run once, and again only when its credentials expire. It may be a shell's
// command, with arguments in quotes or none.
func TestProcess(t *testing.T) {
	for expires, more := range map[string]bool{
		"": false,
		`, "Expiration": "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"`:  false,
		`, "Expiration": "` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"`: true,
	} {
		s := serve(t)
		ran := write(t, "ran", "")
		script := write(t, "a script", fmt.Sprintf("#!/bin/sh\necho >>%s\necho '{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"%s\"%s}'\n", ran, testKey, testSecret, expires))
		if err := os.Chmod(script, 0o700); err != nil {
			t.Fatal(err)
		}
		profiles(t, "", "[profile mine]\ncredential_process = \""+script+"\"\n")
		if err := use(t, s.options()); err != nil {
			t.Error(err)
		}
		b, err := os.ReadFile(ran)
		if err != nil || (len(b) > 2) != more { // an upload and a download
			t.Errorf("%q: it ran %d times, %v", expires, len(b), err)
		}
	}
}

// portal is a client whose requests a function answers.
type portal func(r *http.Request) string

func (p portal) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(p(r))), Request: r}, nil
}

func TestSSO(t *testing.T) {
	environment(t, "http://localhost")
	profiles(t, "", "[profile mine]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x\n")
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.MkdirAll(home+"/.aws/sso/cache", 0o700); err != nil {
		t.Fatal(err)
	}
	// Named after the SHA-1 of the session.
	if err := os.WriteFile(home+"/.aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json",
		fmt.Appendf(nil, `{"accessToken": "planted-sso", "expiresAt": %q}`, time.Now().Add(time.Hour).Format(time.RFC3339)), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := readShared()
	if err != nil {
		t.Fatal(err)
	}
	c, err := newChain(files)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.RetrieveWithCredContext(&credentials.CredContext{Context: context.Background(), Client: &http.Client{Transport: portal(func(r *http.Request) string {
		if r.Header.Get("x-amz-sso_bearer_token") != "planted-sso" || !strings.Contains(r.URL.Host, "eu-west-1") {
			return ""
		}
		return fmt.Sprintf(`{"roleCredentials": {"accessKeyId": %q, "secretAccessKey": %q, "sessionToken": "t", "expiration": %d}}`, testKey, testSecret, time.Now().Add(time.Hour).UnixMilli())
	})}})
	if err != nil || v.AccessKeyID != testKey || v.SecretAccessKey != testSecret {
		t.Error(v, err)
	}
}

// The endpoint of a service takes precedence over that of the profile.
func TestEndpointOfAService(t *testing.T) {
	s := serve(t)
	profiles(t, "[mine]\naws_access_key_id = "+testKey+"\naws_secret_access_key = "+testSecret+"\n",
		"[profile mine]\nservices = here\nendpoint_url = http://127.0.0.1:1\n[services here]\nsts =\n  endpoint_url = http://127.0.0.1:2\ns3 =\n  endpoint_url = "+s.http.URL+"\n")
	t.Setenv("AWS_ENDPOINT_URL", "")
	if err := use(t, s.options()); err != nil {
		t.Error(err)
	}
	files, err := readShared()
	if err != nil || files.sts() != "http://127.0.0.1:2" {
		t.Error(files.sts(), err)
	}
}
