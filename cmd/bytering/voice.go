package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A voice prints messages, each as one line that begins with the name of the
// program.
type voice struct {
	as     program
	level  level
	stderr *os.File
	log    *os.File // where messages go instead of stderr, if not nil
}

// tell prints a message if the level includes it. Errors of the write are
// ignored, because they can't be reported.
func (v *voice) tell(l level, message string) {
	v.line(l, v.as.String()+": "+message)
}

// line prints a message as it is, with one write, so that it is not mixed with
// the lines of other programs.
func (v *voice) line(l level, message string) {
	message = oneLine(message)
	switch {
	case l > v.level:
	case v.log != nil:
		io.WriteString(v.log, message+"\n")
	default:
		v.onStderr(message)
	}
}

func (v *voice) onStderr(message string) { io.WriteString(newPatient(v.stderr), message+"\n") }

// report prints the summary.
func (v *voice) report(cfg *config, r report) {
	for _, sum := range r.sums {
		v.line(sayNothing, sum)
	}
	switch line := v.as.String() + ": " + r.summary; {
	case v.as == asPv: // whose own line stays
	case v.log == nil:
		if !cfg.show.quiet || v.level >= sayInfo {
			v.line(sayNothing, line)
		}
	default:
		if !cfg.quietLog {
			v.line(sayNothing, line)
		}
		if !cfg.show.quiet {
			v.onStderr(line)
		}
	}
}

// oneLine returns a message without characters that would break its line or control
// a terminal. Joined errors, for example, have a line each.
func oneLine(message string) string {
	message = strings.ReplaceAll(message, "\n", "; ")
	var b strings.Builder
	for i, r := range message {
		switch {
		case r == utf8.RuneError:
			_, n := utf8.DecodeRuneInString(message[i:])
			fmt.Fprintf(&b, `\x%x`, message[i:i+n])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// quoted returns a name as messages show it. It is quoted if it has characters
// that a terminal would not print.
func quoted(name string) string {
	name = shown(name)
	if utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

// named returns err with the name of its file quoted.
func named(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("%s %s: %w", pe.Op, quoted(pe.Path), pe.Err)
	case errors.As(err, &le):
		return fmt.Errorf("%s %s: %w", le.Op, quoted(le.New), le.Err)
	}
	return err
}
