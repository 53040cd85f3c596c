package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// netrc returns the login and the password for a host, and for that login if it is
// not empty. It reads the file that $NETRC names, or the usual one, which need not
// exist. An empty password means that there is none.
func netrc(host, login string) (user, password string, err error) {
	name := os.Getenv("NETRC")
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", nil // and so no file
		}
		name = filepath.Join(home, netrcName())
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return "", "", nil
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", "", fail(exitRefused, "%w", named(err))
	}
	user, password, err = netrcEntry(string(text), host, login)
	if err != nil {
		return "", "", fail(exitRefused, "read %s: %w", quoted(name), err)
	}
	return user, password, nil
}

func netrcName() string {
	if runtime.GOOS == "windows" {
		return "_netrc"
	}
	return ".netrc"
}

// netrcEntry finds the first entry for the host, or the default one.
func netrcEntry(text, host, login string) (user, password string, err error) {
	tokens, err := netrcTokens(text)
	if err != nil {
		return "", "", err
	}
	matches, found := false, false
	end := func() bool { return matches && found && (login == "" || user == login) }
	for len(tokens) > 0 {
		key, value := tokens[0], ""
		tokens = tokens[1:]
		if key != "default" {
			if len(tokens) == 0 {
				return "", "", fmt.Errorf("nothing follows the last %s", netrcKey(key))
			}
			value, tokens = tokens[0], tokens[1:]
		}
		switch key {
		case "machine", "default":
			if end() {
				return user, password, nil
			}
			matches, found = key == "default" || strings.EqualFold(value, host), false
			user, password = login, ""
		case "login":
			user = value
		case "password":
			password, found = value, true
		case "account":
		default:
			return "", "", errors.New("what should be machine, default, login, password, account or macdef is something else")
		}
	}
	if end() {
		return user, password, nil
	}
	return "", "", nil
}

// netrcKey returns a key as an error may show it. A word that is not a key may
// be a password.
func netrcKey(key string) string {
	switch key {
	case "machine", "login", "password", "account":
		return key
	}
	return "word"
}

// netrcTokens splits the text into words, which may be quoted. It drops comments,
// and macros, which end at an empty line.
func netrcTokens(text string) (tokens []string, err error) {
	macro, value := false, false // the next word is the value of a key
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if macro {
			macro = line != ""
			continue
		}
		for line != "" && (value || line[0] != '#') {
			var word string
			if word, line, err = netrcWord(line); err != nil {
				return nil, err
			}
			if !value && word == "macdef" {
				macro = true
				break
			}
			value = !value && word != "default"
			tokens = append(tokens, word)
		}
	}
	return tokens, nil
}

// netrcWord returns the first word of a line and the rest. Precondition: the
// line has a word.
func netrcWord(line string) (word, rest string, err error) {
	if line[0] != '"' {
		if i := strings.IndexAny(line, " \t"); i >= 0 {
			return line[:i], strings.TrimLeft(line[i:], " \t"), nil
		}
		return line, "", nil
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			return b.String(), strings.TrimLeft(line[i+1:], " \t"), nil
		case c == '\\' && i+1 < len(line):
			i++
			switch line[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(line[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a quote does not end in its line")
}
