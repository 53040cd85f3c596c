package s3

import (
	"os"
	"regexp"
	"strings"
	"unicode"
)

// secretVariables are the environment variables whose values are never shown.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
}

// secretPatterns match the parts of a request that would authorize another one.
// The groups in them are not secret.
var secretPatterns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(AWS4-HMAC-SHA256 ).*`),
	regexp.MustCompile(`(?i)((?:X-Amz-(?:Signature|Security-Token|Credential|S3session-Token)|Signature|AWSAccessKeyId|Authorization|token)\s*[=:]\s*)[^&\s",;]+`),
	regexp.MustCompile(`(://)[^/@\s]*(@)`),
}

const hidden = "[hidden]"

// redact returns text in one line, without the given secrets and those that a
// pattern matches. All messages of the package go through it.
func redact(text string, secrets ...string) string {
	for _, v := range secretVariables {
		secrets = append(secrets, os.Getenv(v))
	}
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, hidden)
		}
	}
	for _, p := range secretPatterns {
		text = p.ReplaceAllString(text, "${1}"+hidden+"${2}")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
