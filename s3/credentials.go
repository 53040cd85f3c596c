package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// instanceTimeout is how long all requests for the metadata of an instance may
// take together. On other machines nothing answers them.
const instanceTimeout = time.Second

// A chain asks providers in order. It keeps the reason why each had no
// credentials, for the error if the server refuses an anonymous request.
type chain struct {
	providers []credentials.Provider
	found     credentials.Provider

	mu      sync.Mutex
	errs    error
	secrets []string // of all credentials that were found
}

// newChain returns a chain of the providers that the SDKs have.
func newChain() *chain {
	c := &chain{providers: []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}}
	remote := os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" ||
		os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "" ||
		os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != ""
	switch {
	case remote:
		c.providers = append(c.providers, &credentials.IAM{})
	case os.Getenv("AWS_EC2_METADATA_DISABLED") != "true":
		endpoint := os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
		c.providers = append(c.providers, within{&credentials.IAM{Endpoint: endpoint}, instanceTimeout})
	}
	return c
}

func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var errs error
	for _, p := range c.providers {
		v, err := p.RetrieveWithCredContext(cc)
		if err == nil && (v.AccessKeyID != "" || v.SecretAccessKey != "") {
			c.found = p
			c.mu.Lock()
			if !slices.Contains(c.secrets, v.SecretAccessKey) || !slices.Contains(c.secrets, v.SessionToken) {
				c.secrets = append(c.secrets, v.SecretAccessKey, v.SessionToken)
			}
			c.mu.Unlock()
			return v, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = errors.Join(errs, err)
		}
	}
	c.mu.Lock()
	c.errs = errs
	c.mu.Unlock()
	return credentials.Value{SignerType: credentials.SignatureAnonymous}, nil
}

func (c *chain) IsExpired() bool { return c.found != nil && c.found.IsExpired() }

// known returns the secrets that were found.
func (c *chain) known() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.secrets)
}

// why returns an error that says why there are no credentials.
func (c *chain) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.errs == nil {
		return errors.New("there are no credentials")
	}
	return fmt.Errorf("there are no credentials: %w", c.errs)
}

// A within is a provider with a time limit.
type within struct {
	credentials.Provider
	timeout time.Duration
}

func (w within) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var limited credentials.CredContext
	if cc != nil {
		limited = *cc
	}
	if limited.Context == nil {
		limited.Context = context.Background()
	}
	ctx, cancel := context.WithTimeout(limited.Context, w.timeout)
	defer cancel()
	limited.Context = ctx
	return w.Provider.RetrieveWithCredContext(&limited)
}

// A profile has the settings of the shared configuration other than
// credentials.
type profile struct{ region, endpoint string }

// readProfile reads the profile of AWS_PROFILE. A missing file is not an error.
// The file of the credentials is read too: if it can't be parsed, the error here
// has none of its contents, and a provider's error might.
func readProfile() (p profile, err error) {
	name := cmp.Or(os.Getenv("AWS_PROFILE"), "default")
	home, _ := os.UserHomeDir()
	for _, file := range []string{
		cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, ".aws", "credentials")),
		cmp.Or(os.Getenv("AWS_CONFIG_FILE"), filepath.Join(home, ".aws", "config")),
	} {
		parsed, err := ini.LooseLoad(file)
		if err != nil {
			return p, fmt.Errorf("%w: %s can't be read as configuration", ErrOption, file)
		}
		for _, section := range []string{"profile " + name, name} {
			if s, err := parsed.GetSection(section); err == nil {
				p.region = cmp.Or(p.region, s.Key("region").String())
				p.endpoint = cmp.Or(p.endpoint, s.Key("endpoint_url").String())
			}
		}
	}
	return p, nil
}
