package main

import (
	"bytes"
	"io"
	"testing"
)

// TestFaultyMovers checks that a trial fails if other bytes than the object arrive.
func TestFaultyMovers(t *testing.T) {
	const o = object(3<<20 + 5)
	all, err := io.ReadAll(io.NewSectionReader(o, 0, int64(o)))
	if err != nil || o.check(bytes.NewReader(all)) != nil {
		t.Fatal(err, o.check(bytes.NewReader(all)))
	}
	other := bytes.Clone(all)
	other[2<<20]++
	for name, b := range map[string][]byte{
		"loses the last": all[:len(all)-1], "loses the first": all[1:], "one too many": append(bytes.Clone(all), 0), "another": other, "nothing": nil,
	} {
		if o.check(bytes.NewReader(b)) == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	for name, argv := range map[string][]string{"fails": {"sh", "-c", "cat; exit 1"}, "says nothing": {"true"}} {
		c := &copied{from: "-", to: "-", argv: argv, size: diskBlock, bytes: diskBlock}
		if c.run(10) == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	c := &copied{from: "-", to: "-", argv: []string{"cat"}, size: diskBlock, bytes: diskBlock}
	if err := c.run(1000); err != nil {
		t.Error(err)
	}
}
