package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bytering/bytering"
)

// objectScheme is what the name of an object of a store begins with.
const objectScheme = "s3://"

// An objects is what the command line says of outputs that are objects.
type objects struct {
	given string // one of the flags that say it, or ""

	resume   bool
	uploadID string // to resume, or "" for the only one
	abort    bool
	probe    bool
	maxParts int // 0 for the usual number

	checksum   string
	contentMD5 bool

	storageClass, contentType string
	metadata                  map[string]string
	encryption, kmsKey        string
	lockMode                  string
	lockUntil                 time.Time
	legalHold                 bool
}

// objectFlags are the flags for outputs that are objects. --help has none of them.
var objectFlags = []flag{
	{long: "resume", arg: "[=ID]", group: "Objects (s3://)", does: "go on with the upload that was left, or with the one of that ID", set: aboutObjects("resume", setUpload)},
	{long: "abort", does: "abort an upload that fails, which otherwise is left", set: aboutObjects("abort", on(func(p *parser) { p.objects.abort = true }))},
	{long: "s3-probe", does: "find out whether the server heeds If-None-Match; warn if not", set: aboutObjects("s3-probe", on(func(p *parser) { p.objects.probe = true }))},
	{long: "max-parts", arg: "N", does: "the server allows N parts (default 10000)", set: aboutObjects("max-parts", to(parseNumber, func(p *parser) *int { return &p.objects.maxParts }))},
	{long: "s3-checksum", arg: "NAME", does: "crc64nvme (default), crc32c, crc32, sha256, sha1 or md5, and no other", set: objectText("s3-checksum", func(o *objects) *string { return &o.checksum })},
	{long: "s3-content-md5", does: "send the MD5 of each part too, as object lock may ask for", set: aboutObjects("s3-content-md5", on(func(p *parser) { p.objects.contentMD5 = true }))},
	{long: "s3-storage-class", arg: "NAME", does: "the storage class of the object", set: objectText("s3-storage-class", func(o *objects) *string { return &o.storageClass })},
	{long: "s3-content-type", arg: "TYPE", does: "the content type of the object", set: objectText("s3-content-type", func(o *objects) *string { return &o.contentType })},
	{long: "s3-metadata", arg: "NAME=VALUE", does: "metadata of the object; several may be given", set: aboutObjects("s3-metadata", setMetadata)},
	{long: "s3-sse", arg: "NAME", does: "encryption by the server: AES256 or aws:kms", set: objectText("s3-sse", func(o *objects) *string { return &o.encryption })},
	{long: "s3-kms-key", arg: "ID", does: "the key for aws:kms", set: objectText("s3-kms-key", func(o *objects) *string { return &o.kmsKey })},
	{long: "s3-lock", arg: "MODE", does: "object lock: GOVERNANCE or COMPLIANCE", set: objectText("s3-lock", func(o *objects) *string { return &o.lockMode })},
	{long: "s3-lock-until", arg: "DATE", does: "until 2030-01-31, or 2030-01-31T12:00:00Z", set: aboutObjects("s3-lock-until", to(parseDate, func(p *parser) *time.Time { return &p.objects.lockUntil }))},
	{long: "s3-legal-hold", does: "a legal hold on the object", set: aboutObjects("s3-legal-hold", on(func(p *parser) { p.objects.legalHold = true }))},
}

// aboutObjects makes a setter that takes only an output that is an object.
func aboutObjects(name string, set setter) setter {
	return func(p *parser, text string) error {
		p.objects.given = "--" + name
		return set(p, text)
	}
}

func objectText(name string, field func(o *objects) *string) setter {
	some := func(text string) (string, error) {
		if text == "" {
			return "", errors.New("is empty")
		}
		return text, nil
	}
	return aboutObjects(name, to(some, func(p *parser) *string { return field(&p.objects) }))
}

func setUpload(p *parser, text string) error {
	if text == "" {
		return errors.New("names no upload")
	}
	p.objects.resume, p.objects.uploadID = true, text
	if text == bare {
		p.objects.uploadID = ""
	}
	return nil
}

func setMetadata(p *parser, text string) error {
	name, value, is := strings.Cut(text, "=")
	if !is || name == "" {
		return errors.New("not a name, an equals sign and a value")
	}
	if p.objects.metadata == nil {
		p.objects.metadata = map[string]string{}
	}
	p.objects.metadata[name] = value
	return nil
}

func parseDate(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time such as 2030-01-31 or 2030-01-31T12:00:00Z")
}

func isObject(p place) bool { return p.kind == object }

// readsObject reports whether the input is an object, which then is the only one.
func (c *config) readsObject() bool { return slices.ContainsFunc(c.inputs, isObject) }

// objectShape refuses what does not go together with objects.
func (p *parser) objectShape() error {
	reads, writes := p.readsObject(), 0
	appends := false
	for _, out := range p.outputs {
		if isObject(out) {
			writes++
			appends = appends || out.append
		}
	}
	p.anyMemory = (reads || writes > 0) && p.memory.bytes == 0 && p.share == 0
	for _, f := range []struct {
		end, name string
		given     bool
	}{
		{"input", "--skip", reads && p.skip > 0},
		{"input", "--count", reads && p.count >= 0},
		{"input", "-r, which -R holds back too", reads && p.readRate > 0},
		{"input", "other inputs", reads && len(p.inputs) > 1},
		{"output", "--append", appends},
		{"output", "-R, which -r holds back too", writes > 0 && p.writeRate > 0},
		{"output", "--obs", writes > 0 && p.wholeBlock.bytes > 0},
		{"end", "-P", (reads || writes > 0) && p.startAbove > 0},
		{"end", "-p", (reads || writes > 0) && p.resumeBelow < 100},
		{"end", "--direct", (reads || writes > 0) && p.direct},
	} {
		if f.given {
			return fmt.Errorf("an %s of s3:// does not go together with %s", f.end, f.name)
		}
	}
	switch {
	case writes == 0 && p.objects.given != "":
		return fmt.Errorf("%s is for an output of s3://, and there is none", p.objects.given)
	case writes > 1 && p.objects.resume:
		return errors.New("--resume is for one output of s3://, and there are several")
	}
	return nil
}

// A stored is an end that is an object.
type stored struct {
	size int64 // of one that is read
	ring int64 // that it takes

	// One of these is set. They return how many bytes are safe.
	fill  func(context.Context, *bytering.Producer) (int64, error)
	drain func(context.Context, *bytering.Consumer) (int64, error)

	summary string // of what was moved
	left    string // the ID of an upload that was left
}

// A store opens objects.
type store interface {
	// source opens the object of that name.
	source(ctx context.Context, name string) (*stored, error)
	// sink begins an upload, for about size bytes unless that is -1.
	sink(ctx context.Context, name string, size int64) (*stored, error)
}

// openObjects opens the ends that are objects, and makes the ring as large as they
// take.
func (s *stream) openObjects(ctx context.Context, stdin *os.File) error {
	s.stored = make([]*stored, len(s.outputs))
	if !s.readsObject() && !s.uploads() {
		return nil
	}
	if err := s.openStored(ctx, stdin); err != nil {
		return err
	}
	var ring int64
	for _, o := range append(s.stored, s.object) {
		if o != nil {
			ring = max(ring, o.ring)
		}
	}
	s.memory, s.share = size{int(ring), bytesText(float64(ring))}, 0
	return s.fitMemory()
}

func (s *stream) openStored(ctx context.Context, stdin *os.File) error {
	st, err := s.store()
	if err != nil {
		return err
	}
	if s.readsObject() {
		stop := s.limitOpen(s.inputs[0])
		s.object, err = st.source(ctx, s.inputs[0].name)
		stop()
		if err != nil {
			return err
		}
	}
	size := s.foreseen(stdin)
	for i, p := range s.outputs {
		if !isObject(p) {
			continue
		}
		stop := s.limitOpen(p)
		s.stored[i], err = st.sink(ctx, p.name, size)
		stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// startsAtOnce reports whether the input is read as soon as the command begins, and
// goes to one output. If that is an object, it may be looked for meanwhile: no other
// output is made, and an end that takes long to open or a -W does not matter.
func (s *stream) startsAtOnce() bool {
	in := s.inputs[0]
	if len(s.outputs) > 1 || in.kind != file || s.timeout > 0 {
		return false
	}
	info, err := os.Stat(in.name)
	return in.name == "-" || err == nil && info.Mode().IsRegular()
}

// foreseen is expected before the inputs are open.
func (s *stream) foreseen(stdin *os.File) int64 {
	first := &end{size: -1}
	switch p := s.inputs[0]; {
	case s.object != nil:
		first.size = s.object.size
	case p.kind == file:
		info, err := os.Stat(p.name)
		if p.name == "-" {
			info, err = stdin.Stat()
		}
		if err == nil && info.Mode().IsRegular() {
			first.size = info.Size()
		}
	}
	return s.expected(first)
}
