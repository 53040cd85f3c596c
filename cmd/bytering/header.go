package main

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"
)

// setHeader adds the lines of a file to the header of each request. They may be
// secret, so no message shows them, and they can't be given on the command line,
// which other users see.
func setHeader(p *parser, text string) error {
	name, is := strings.CutPrefix(text, "@")
	if !is || name == "" {
		return fail(exitRefused, "--header needs @FILE, with the lines in FILE")
	}
	lines, err := os.ReadFile(name)
	if err != nil {
		return cause(err)
	}
	if p.web.header == nil {
		p.web.header = http.Header{}
	}
	n := 0
	for line := range strings.Lines(string(lines)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key = textproto.CanonicalMIMEHeaderKey(key)
		value = strings.TrimSpace(value)
		switch {
		case !ok || !isToken(key) || strings.ContainsFunc(value, isControl):
			return fail(exitRefused, "--header @%s: line %d is not a name, a colon and a value", quoted(name), n)
		case ownHeader(key):
			return fail(exitRefused, "--header @%s: line %d is of %s, which bytering sets itself", quoted(name), n, key)
		}
		p.web.header.Add(key, value)
	}
	return nil
}

// ownHeader reports whether users may not set a header, because requests depend
// on it.
func ownHeader(key string) bool {
	return strings.HasPrefix(key, "If-") || slices.Contains([]string{
		"Range", "Accept-Encoding", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "Expect",
	}, key)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken reports whether text can be the name of a header.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// setCACert makes the certificates in a file the only ones that are trusted.
func setCACert(p *parser, text string) error {
	pem, err := os.ReadFile(text)
	if err != nil {
		return cause(err)
	}
	if p.web.roots == nil {
		p.web.roots = x509.NewCertPool()
	}
	if !p.web.roots.AppendCertsFromPEM(pem) {
		return errors.New("has no certificate in PEM")
	}
	return nil
}
