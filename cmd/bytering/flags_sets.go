package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setters that several flags use, in any table.

// A setter takes the value of a flag.
type setter = func(p *parser, text string) error

// on returns a setter for a switch.
func on(set func(p *parser)) setter {
	return func(p *parser, _ string) error {
		set(p)
		return nil
	}
}

// to returns a setter that stores the result of parse.
func to[T any](parse func(text string) (T, error), field func(p *parser) *T) setter {
	return func(p *parser, text string) error {
		v, err := parse(text)
		if err == nil {
			*field(p) = v
		}
		return err
	}
}

// shows returns a setter for a switch that shows a part of the line.
func shows(field func(d *display) *bool) setter {
	return on(func(p *parser) { *field(&p.show), p.shown = true, true })
}

var (
	setHelp    = on(func(p *parser) { p.help = true })
	setVersion = on(func(p *parser) { p.version = true })
	setForce   = on(func(p *parser) { p.force = true })
	setQuiet   = on(func(p *parser) { p.show.quiet = true })
	setDirect  = on(func(p *parser) { p.direct = true })
	setCopy    = on(func(p *parser) { p.noSplice = true })
	setLock    = on(func(p *parser) { p.lock = true })
	setBlock   = to(parseMemory, func(p *parser) *size { return &p.block })
	setRead    = to(parseSize, func(p *parser) *int64 { return &p.readRate })
	setWrite   = to(parseSize, func(p *parser) *int64 { return &p.writeRate })
	setName    = to(anything, func(p *parser) *string { return &p.show.name })
	setLog     = to(notEmpty, func(p *parser) *string { return &p.log })
	setRing    = to(notEmpty, func(p *parser) *string { return &p.ringFile })
	setStart   = to(percent(1, 100), func(p *parser) *int { return &p.startAbove })
	setResume  = to(percent(0, 99), func(p *parser) *int { return &p.resumeBelow })
	setTimeout = to(someSeconds, func(p *parser) *time.Duration { return &p.timeout })
	setInput   = func(p *parser, text string) error { return p.input(p.address(text)) }
	setOutput  = func(p *parser, text string) error { return p.output(p.address(text)) }
)

func setMemory(p *parser, text string) (err error) {
	share, is, err := parseShare(text)
	if is {
		p.memory, p.share = size{text: text}, share
		return err
	}
	p.share = 0
	p.memory, err = parseMemory(text)
	return err
}

func anything(text string) (string, error) { return text, nil }

func notEmpty(text string) (string, error) {
	if text == "" {
		return "", errors.New("names no file")
	}
	return text, nil
}

func percent(least, most int) func(string) (int, error) {
	return func(text string) (int, error) { return parsePercent(text, least, most) }
}

func seconds(text string) (time.Duration, error) { return parseTime(text, time.Second) }

func someSeconds(text string) (time.Duration, error) {
	d, err := seconds(text)
	if err == nil && d == 0 {
		err = errors.New("not longer than nothing")
	}
	return d, err
}

func parseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errors.New("not a number from 1 on")
	}
	return n, nil
}

// setSize takes a size, or @ and the name of a file of that size.
func setSize(p *parser, text string) error {
	name, is := strings.CutPrefix(text, "@")
	if !is {
		n, err := parseSize(text)
		if err == nil && n > 0 { // 0 means unknown
			p.size = n
		}
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	p.size, err = f.Seek(0, io.SeekEnd) // also of a block device
	if err != nil {
		return cause(err)
	}
	return nil
}

// setHash adds a hash, or several between commas.
func setHash(p *parser, text string) error {
	for name := range strings.SplitSeq(strings.ToLower(text), ",") {
		if name != "list" && hashes[name] == nil {
			return fmt.Errorf("not a hash: there are %s", strings.Join(hashNames(), ", "))
		}
		if !slices.Contains(p.hashes, name) {
			p.hashes = append(p.hashes, name)
		}
	}
	return nil
}

// parseLevel takes a level by its number, or by mbuffer's name.
func parseLevel(text string) (level, error) {
	switch n, err := strconv.Atoi(text); {
	case err == nil && n >= 0 && n <= 6:
		return level(n), nil
	case err == nil:
		return 0, errors.New("not a level from 0 to 6")
	}
	for name, l := range map[string]level{
		"none": sayNothing, "silent": sayNothing, "fatal": sayFatal, "error": sayErrors,
		"warning": sayWarnings, "info": sayInfo, "debug": sayDebug, "io": sayIO,
	} {
		if text == name {
			return l, nil
		}
	}
	return 0, errors.New("not a level from 0 to 6, nor none, silent, fatal, error, warning, info, debug or io")
}

// address distinguishes an address from a file. Only the name bytering has
// addresses.
func (p *parser) address(text string) (placeKind, string) {
	if p.as == asBytering {
		if isWeb(text) {
			return get, text
		}
		if strings.HasPrefix(text, objectScheme) {
			return object, text
		}
		if name, is := strings.CutPrefix(text, "tcp://"); is {
			return dial, name
		}
		if name, is := strings.CutPrefix(text, "tcp-listen://"); is {
			return listen, name
		}
	}
	return file, text
}

// product returns a times b, or the largest int if that is less.
func product(a, b int) int {
	if a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}

// tempDir returns the directory for a temporary file that the ring lies in.
func tempDir() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	return "/var/tmp" // which is on a disk
}
