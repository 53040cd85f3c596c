package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// An assumed is a role that is asked for with other credentials.
type assumed struct {
	credentials.STSAssumeRole
	c    *chain
	from credentials.Provider
}

func (a *assumed) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := a.from.RetrieveWithCredContext(cc)
	if err != nil {
		return v, err
	}
	a.c.learn(v)
	if v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return v, errors.New("there are no credentials to ask for the role with")
	}
	a.Options.AccessKey, a.Options.SecretKey, a.Options.SessionToken = v.AccessKeyID, v.SecretAccessKey, v.SessionToken
	return a.STSAssumeRole.RetrieveWithCredContext(cc)
}

// processTimeout is how long a credential_process may take.
const processTimeout = time.Minute

// A process is a program that prints credentials.
type process struct {
	credentials.Expiry
	command string
	lasting bool // the credentials do not expire
}

func (p *process) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }

func (p *process) RetrieveWithCredContext(cc *credentials.CredContext) (v credentials.Value, err error) {
	ctx := context.Background()
	if cc != nil && cc.Context != nil {
		ctx = cc.Context
	}
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd.exe", "/C"}
	}
	cmd := exec.CommandContext(ctx, shell[0], shell[1], p.command)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return v, fmt.Errorf("credential_process: %w", err)
	}
	var printed struct {
		Version                                   int
		AccessKeyID                               string `json:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	// The error might show a secret.
	if json.Unmarshal(out, &printed) != nil || printed.Version != 1 || printed.AccessKeyID == "" || printed.SecretAccessKey == "" {
		return v, errors.New("credential_process: it printed no credentials of version 1")
	}
	v = credentials.Value{
		AccessKeyID: printed.AccessKeyID, SecretAccessKey: printed.SecretAccessKey,
		SessionToken: printed.SessionToken, SignerType: credentials.SignatureV4,
	}
	if p.lasting = printed.Expiration == ""; p.lasting {
		return v, nil
	}
	if v.Expiration, err = time.Parse(time.RFC3339, printed.Expiration); err != nil {
		return v, errors.New("credential_process: the Expiration it printed is not a time")
	}
	p.SetExpiration(v.Expiration, credentials.DefaultExpiryWindow)
	return v, nil
}

func (p *process) IsExpired() bool { return !p.lasting && p.Expiry.IsExpired() }
