package s3

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// A shared is the shared configuration: the files of the SDKs.
type shared struct {
	credentials, config *ini.File
	name                string // of the profile that is used
}

// readShared reads the shared configuration. A missing file is not an error, but a
// missing profile is if AWS_PROFILE names it. If a file can't be parsed, the error has
// none of its contents.
func readShared() (s shared, err error) {
	home, _ := os.UserHomeDir()
	for _, f := range []struct {
		to         **ini.File
		name, base string
	}{
		{&s.credentials, os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), "credentials"},
		{&s.config, os.Getenv("AWS_CONFIG_FILE"), "config"},
	} {
		file := cmp.Or(f.name, filepath.Join(home, ".aws", f.base))
		*f.to, err = ini.LoadSources(ini.LoadOptions{
			Loose: true, AllowNestedValues: true, PreserveSurroundedQuote: true, SpaceBeforeInlineComment: true, IgnoreContinuation: true,
		}, file)
		if err != nil {
			return s, fmt.Errorf("%w: %s can't be read as configuration", ErrOption, file)
		}
	}
	s.name = cmp.Or(os.Getenv("AWS_PROFILE"), "default")
	if os.Getenv("AWS_PROFILE") != "" && s.profile(s.name) == nil {
		return s, fmt.Errorf("%w: there is no profile %q", ErrOption, s.name)
	}
	return s, nil
}

// A profile is the keys of a profile.
type profile map[string]string

// profile returns the profile of that name, or nil if there is none. The file of the
// credentials takes precedence.
func (s shared) profile(name string) (p profile) {
	for _, file := range []*ini.File{s.config, s.credentials} {
		for _, section := range []string{name, "profile " + name} {
			if found, err := file.GetSection(section); err == nil && (section != ini.DefaultSection || len(found.Keys()) > 0) {
				if p == nil {
					p = profile{}
				}
				for _, k := range found.Keys() {
					p[k.Name()] = strings.TrimSpace(k.String())
				}
			}
		}
	}
	return p
}

func (s shared) region() string {
	return cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), s.profile(s.name)["region"])
}

// endpoint returns the endpoint of a service, s3 or sts, or "" if none is set.
func (s shared) endpoint(service string) string {
	p := s.profile(s.name)
	own := ""
	if services, err := s.config.GetSection("services " + p["services"]); err == nil {
		for _, line := range services.Key(service).NestedValues() {
			if k, v, ok := strings.Cut(line, "="); ok && strings.TrimSpace(k) == "endpoint_url" {
				own = strings.TrimSpace(v)
			}
		}
	}
	return cmp.Or(os.Getenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service)), os.Getenv("AWS_ENDPOINT_URL"), own, p["endpoint_url"])
}

// sts returns the endpoint for roles.
func (s shared) sts() string {
	region, host := s.region(), "sts.amazonaws.com"
	if region != "" {
		host = "sts." + region + ".amazonaws.com"
	}
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	return cmp.Or(s.endpoint("sts"), "https://"+host)
}

// provider returns the provider that a profile asks for, or nil if it asks for none.
// What is not supported is refused by the name of its key; the value might be a secret
// in the wrong place. seen are the profiles whose source it is.
func (s shared) provider(c *chain, name string, seen ...string) (credentials.Provider, error) {
	p := s.profile(name)
	refuse := func(format string, args ...any) (credentials.Provider, error) {
		return nil, fmt.Errorf("%w: the profile %q %s", ErrOption, name, fmt.Sprintf(format, args...))
	}
	for _, key := range []string{"mfa_serial", "login_session"} {
		if p[key] != "" {
			return refuse("has %s, which is not supported", key)
		}
	}
	role := p["role_arn"]
	var sources []string
	for _, key := range []string{"source_profile", "credential_source", "web_identity_token_file"} {
		if p[key] != "" {
			sources = append(sources, key)
		}
	}
	again := slices.Contains(seen, name)
	switch {
	case again && p["aws_access_key_id"] == "":
		return refuse("is its own source_profile, and has no keys")
	case again, role == "" && len(sources) == 0:
		return s.own(p, name)
	case len(sources) > 1:
		return refuse("has %s", strings.Join(sources, " and "))
	case len(sources) == 1 && sources[0] == "web_identity_token_file":
		return s.webIdentity(p[sources[0]], role, p["role_session_name"]), nil
	case role == "":
		return refuse("has %s without role_arn", sources[0])
	}
	var from credentials.Provider
	var err error
	switch source := p["credential_source"]; {
	case p["source_profile"] != "":
		if s.profile(p["source_profile"]) == nil {
			return refuse("has a source_profile that does not exist")
		}
		from, err = s.provider(c, p["source_profile"], append(seen, name)...)
	case source == "Environment":
		from = &credentials.EnvAWS{}
	case source == "Ec2InstanceMetadata":
		from = instance()
	case source == "EcsContainer":
		from = &credentials.IAM{}
	case source != "":
		return refuse("has a credential_source other than Environment, Ec2InstanceMetadata and EcsContainer")
	default:
		from, err = s.own(p, name)
	}
	if err != nil {
		return nil, err
	}
	if from == nil {
		return refuse("has role_arn, and no credentials to ask for the role with: it takes source_profile, credential_source or web_identity_token_file")
	}
	seconds, err := strconv.Atoi(cmp.Or(p["duration_seconds"], "0"))
	if err != nil {
		return refuse("has duration_seconds that are not a number")
	}
	return &assumed{c: c, from: from, STSAssumeRole: credentials.STSAssumeRole{
		STSEndpoint: s.sts(),
		Options: credentials.STSAssumeRoleOptions{
			Location: cmp.Or(s.region(), "us-east-1"), DurationSeconds: seconds,
			RoleARN: role, RoleSessionName: cmp.Or(p["role_session_name"], "bytering"), ExternalID: p["external_id"],
		},
	}}, nil
}

// own returns the provider for the credentials that a profile has itself, or nil.
func (s shared) own(p profile, name string) (credentials.Provider, error) {
	id, secret := p["aws_access_key_id"], p["aws_secret_access_key"]
	switch {
	case id != "" && secret != "":
		return &credentials.Static{Value: credentials.Value{
			AccessKeyID: id, SecretAccessKey: secret, SessionToken: p["aws_session_token"], SignerType: credentials.SignatureV4,
		}}, nil
	case id != "" || secret != "":
		return nil, fmt.Errorf("%w: the profile %q has one of aws_access_key_id and aws_secret_access_key", ErrOption, name)
	}
	for key := range p {
		if strings.HasPrefix(key, "sso_") {
			return &credentials.FileAWSCredentials{Profile: name}, nil
		}
	}
	if command := p["credential_process"]; command != "" {
		return &process{command: command}, nil
	}
	return nil, nil
}

// webIdentity returns the provider for the role that a token in a file stands for.
func (s shared) webIdentity(file, role, session string) credentials.Provider {
	iam := &credentials.IAM{Endpoint: s.sts(), Region: s.region()}
	iam.EKSIdentity.TokenFile, iam.EKSIdentity.RoleARN, iam.EKSIdentity.RoleSessionName = file, role, cmp.Or(session, "bytering")
	return iam
}
