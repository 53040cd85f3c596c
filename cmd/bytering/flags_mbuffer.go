package main

import (
	"errors"
	"time"
)

// mbufferFlags are the flags of mbuffer. They have its meaning.
var mbufferFlags = []flag{
	{short: "i", arg: "FILE", group: "Input and output", does: "read FILE; - is standard input", set: only(setInput)},
	{short: "o", arg: "FILE", does: "write FILE; - is standard output; may be repeated, each gets every byte", set: setOutput},
	{short: "I", arg: "[HOST:]PORT", does: "read from the network: listen at PORT, and let in HOST", set: only(func(p *parser, text string) error { return p.input(listenAll, text) })},
	{short: "O", arg: "HOST:PORT", does: "write to the network; may be repeated, beside -o too", set: func(p *parser, text string) error { return p.output(dial, text) }},
	{short: "4", does: "use IPv4 for the -I and -O that follow", set: on(func(p *parser) { p.family = 4 })},
	{short: "6", does: "use IPv6 for the -I and -O that follow", set: on(func(p *parser) { p.family = 6 })},
	{short: "0", does: "use either for the -I and -O that follow", set: on(func(p *parser) { p.family = 0 })},
	{long: "append", does: "the next -o appends to its file, even with -f", set: on(func(p *parser) { p.append = true })},
	{long: "truncate", does: "-f truncates anyway; without -f an existing file is refused, as by mbuffer", state: accepted},
	{short: "f", does: "overwrite files that exist", set: setForce},
	{short: "c", does: "write each block of a file through to the disk", set: on(func(p *parser) { p.syncEach = true })},
	{short: "e", does: "stop all outputs when one fails", set: on(func(p *parser) { p.stopAll = true })},

	{short: "m", arg: "SIZE", group: "The buffer", does: "its size, or N% of the memory (default " + defaultMemory + ", not 2%)", set: setMemory},
	{short: "s", arg: "SIZE", does: "the block; except for a tape it is cut to 1M and to half of -m", set: setBlock},
	{short: "b", arg: "N", does: "blocks of -s in the buffer", set: to(parseNumber, func(p *parser) *int { return &p.blocks })},
	{short: "P", arg: "N", does: "write once the buffer is N% full, 1 to 100; not together with -p", set: setStart},
	{short: "p", arg: "N", does: "after it was full, read once it is below N%, 0 to 99", set: setResume},
	{short: "L", does: "lock the buffer in memory", set: setLock},
	{short: "t", does: "keep the buffer in a temporary file, in TMPDIR or /var/tmp", set: on(func(p *parser) { p.tempFile = true })},
	{short: "T", arg: "FILE", does: "keep the buffer in a new FILE, which does not stay", set: setRing},

	{short: "r", arg: "RATE", group: "The pace", does: "read at most RATE bytes a second", set: setRead},
	{short: "R", arg: "RATE", does: "write at most RATE bytes a second", set: setWrite},
	{short: "u", arg: "N", does: "no output needs a pause after each write", state: accepted},
	{short: "W", arg: "SECONDS", does: "fail when an end has moved nothing for SECONDS", set: setTimeout},

	{short: "n", arg: "N", group: "Tapes", does: "the number of input volumes; 0 and 1 mean one, more are refused", set: setVolumes},
	{short: "a", arg: "SECONDS", does: "there is no second volume to wait for", state: accepted},
	{short: "A", arg: "COMMAND", does: "no command is run", state: refused},
	{short: "d", does: "a device gets what was read, and a tape blocks of -s", state: accepted},
	{short: "D", arg: "SIZE", does: "an output holds SIZE; what does not fit is an error", set: to(parseSize, func(p *parser) *int64 { return &p.tape.volume })},
	{long: "tapeaware", does: "write on after the first \"no space left\", until the second", set: on(func(p *parser) { p.tape.aware = true })},

	{long: "tcpbuffer", arg: "SIZE", group: "The network", does: "the buffer of a socket", set: to(parseMemory, func(p *parser) *size { return &p.connBuffer })},
	{long: "tcptimeo", arg: "TIME", does: "how long a send or receive may take; milliseconds if TIME has no unit", set: setConnTimeout},

	{short: "q", group: "What it says", does: "no line, and no summary below -v 4", set: setQuiet},
	{short: "Q", does: "no summary in the log", set: on(func(p *parser) { p.quietLog = true })},
	{short: "l", arg: "FILE", does: "append messages to FILE instead of writing them to standard error", set: setLog},
	{short: "v", arg: "LEVEL", does: "0 nothing, 1 and 2 errors, 3 warnings, from 4 on a summary; or by name", set: to(parseLevel, func(p *parser) *level { return &p.level })},
	{short: "H", long: "md5", does: "print the MD5 hash", set: func(p *parser, _ string) error { return setHash(p, "md5") }},
	{long: "hash", arg: "HASH", does: "print that hash; list prints all names", set: setHash},
	{long: "pid", does: "print the process ID", set: on(func(p *parser) { p.showPid = true })},
	{short: "h", long: "help", does: "print this", set: setHelp},
	{short: "V", long: "version", does: "print the version", set: setVersion},

	{long: "direct", group: "Direct I/O", does: "a buffer in a file goes through the page cache", state: accepted},
	{long: "no-direct", does: "the page cache is not bypassed anyway", state: accepted},
}

// only returns set, restricted to a command line that has no input yet.
func only(set setter) setter {
	return func(p *parser, text string) error {
		if len(p.inputs) > 0 {
			return errors.New("there is an input already")
		}
		return set(p, text)
	}
}

func setVolumes(_ *parser, text string) error {
	if text != "0" && text != "1" {
		return errors.New("more than one volume is not supported")
	}
	return nil
}

func setConnTimeout(p *parser, text string) (err error) {
	p.connTimeout, err = parseTime(text, time.Millisecond)
	return err
}
