package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// instanceTimeout is how long all requests for the metadata of an instance may
// take together. On other machines nothing answers them.
const instanceTimeout = time.Second

// A chain asks providers in order. It keeps the reason why each had no
// credentials, for the error if the server refuses an anonymous request.
type chain struct {
	providers []link
	found     credentials.Provider

	mu      sync.Mutex
	errs    error
	secrets []string // of all credentials that were found
}

// A link is a provider of a chain. If the configuration asks for it, asked says where,
// and its failure is that of the chain.
type link struct {
	credentials.Provider
	asked string
}

// newChain returns a chain of the providers that the SDKs have.
func newChain(s shared) (*chain, error) {
	c := &chain{providers: []link{{&credentials.EnvAWS{}, ""}}}
	if file := os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" {
		p := s.webIdentity(file, os.Getenv("AWS_ROLE_ARN"), os.Getenv("AWS_ROLE_SESSION_NAME"))
		c.providers = append(c.providers, link{p, "AWS_WEB_IDENTITY_TOKEN_FILE"})
	}
	p, err := s.provider(c, s.name)
	if err != nil {
		return nil, err
	}
	remote := os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
	switch {
	case p != nil:
		c.providers = append(c.providers, link{p, fmt.Sprintf("the profile %q", s.name)})
	case remote:
		c.providers = append(c.providers, link{&credentials.IAM{}, ""})
	case os.Getenv("AWS_EC2_METADATA_DISABLED") != "true":
		c.providers = append(c.providers, link{instance(), ""})
	}
	return c, nil
}

// instance returns the provider for the role of the instance.
func instance() credentials.Provider {
	return within{&credentials.IAM{Endpoint: cmp.Or(os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), credentials.DefaultIAMRoleEndpoint)}, instanceTimeout}
}

func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var own credentials.CredContext
	if cc != nil {
		own = *cc
	}
	if own.Context != nil {
		// The exchange is that of the request that the credentials are for.
		own.Context = context.WithValue(own.Context, exchangeKey{}, nil)
	}
	var errs error
	for _, p := range c.providers {
		v, err := p.RetrieveWithCredContext(&own)
		if err == nil && (v.AccessKeyID != "" || v.SecretAccessKey != "") {
			c.found = p
			c.learn(v)
			return v, nil
		}
		if p.asked != "" {
			if err == nil {
				err = errors.New("it has none")
			}
			return credentials.Value{}, fmt.Errorf("s3: no credentials from %s: %w", p.asked, err)
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

// learn keeps what no message may show.
func (c *chain) learn(v credentials.Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.secrets, v.SecretAccessKey) || !slices.Contains(c.secrets, v.SessionToken) {
		c.secrets = append(c.secrets, v.SecretAccessKey, v.SessionToken)
	}
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
