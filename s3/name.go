package s3

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Scheme is what a name begins with.
const Scheme = "s3://"

// A name is a bucket and a key. The key is not decoded.
type name struct{ bucket, key string }

func parseName(s string) (name, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(s, Scheme), "/")
	n := name{bucket, key}
	switch {
	case !strings.HasPrefix(s, Scheme):
		return n, fmt.Errorf("%w: it does not begin with %s", ErrName, Scheme)
	case strings.ContainsAny(bucket, "@:"):
		// It may be a secret, so it is not repeated.
		return n, fmt.Errorf("%w: the bucket has an @ or a colon: credentials and endpoints are read from the environment", ErrName)
	case key == "":
		return n, fmt.Errorf("%w: %s has no key", ErrName, n)
	}
	if err := s3utils.CheckValidBucketName(bucket); err != nil {
		return n, fmt.Errorf("%w: %s: %v", ErrName, n, err)
	}
	if err := s3utils.CheckValidObjectName(key); err != nil {
		return n, fmt.Errorf("%w: %s: %v", ErrName, n, err)
	}
	return n, nil
}

// String returns the name for a message. It is quoted if it has characters that
// are not printable.
func (n name) String() string {
	s := Scheme + n.bucket + "/" + n.key
	if strings.ContainsFunc(s, unprintable) {
		return strconv.Quote(s)
	}
	return s
}

// ResumeArgs returns the arguments of a command, changed so that it resumes an
// upload: --resume=id replaces any --resume and --abort. Use [Quote] to show
// them in a message.
func ResumeArgs(args []string, id string) []string {
	var out []string
	for i, a := range args {
		if a == "--" {
			return append(append(out, "--resume="+id), args[i:]...)
		}
		flag, _, _ := strings.Cut(a, "=")
		if flag != "--resume" && flag != "--abort" {
			out = append(out, a)
		}
	}
	return append(out, "--resume="+id)
}

// Quote returns the arguments as a line for a shell.
func Quote(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = quoteArg(a)
	}
	return strings.Join(quoted, " ")
}

func quoteArg(a string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%"
	switch {
	case a != "" && strings.Trim(a, plain) == "":
		return a
	case !strings.ContainsFunc(a, unprintable):
		return "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(a) {
		if c < ' ' || c > '~' || c == '\'' || c == '\\' {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
