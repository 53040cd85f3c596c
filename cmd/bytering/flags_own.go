package main

import "slices"

// ownFlags are the flags of bytering, grouped by purpose.
var ownFlags = slices.Concat(commonFlags, rareFlags, objectFlags)

// rareFlags are for when something is wrong. --help has none of them.
var rareFlags = []flag{
	{long: "no-splice", group: "Rarely needed", does: "copy between two pipes instead of splicing", set: setCopy},
}

// commonFlags are those that --help shows.
var commonFlags = []flag{
	{short: "i", long: "input", arg: "FILE", group: "What to copy, and where to", does: "read FILE, http(s):// or s3://; - is standard input", set: setInput},
	{short: "o", long: "output", arg: "FILE", does: "write FILE or s3://; - is stdout; several all get it", set: setOutput},
	{short: "f", long: "force", does: "overwrite files that exist, and block devices", set: setForce},
	{long: "append", does: "append to the files", set: on(func(p *parser) { p.appendAll = true })},
	{long: "skip", arg: "SIZE", does: "skip SIZE at the beginning", set: to(parseSize, func(p *parser) *int64 { return &p.skip })},
	{long: "count", arg: "SIZE", does: "stop after SIZE; a shorter input is an error", set: to(parseSize, func(p *parser) *int64 { return &p.count })},
	{long: "fsync", does: "wait at the end until the files are on the disk", set: on(func(p *parser) { p.fsync = true })},
	{long: "header", arg: "@FILE", does: "send the lines of FILE with each HTTP request", set: setHeader},
	{long: "cacert", arg: "FILE", does: "trust only the certificates in FILE for https", set: setCACert},

	{short: "m", long: "memory", arg: "SIZE", group: "The ring", does: "its size, or N% of the memory (default " + defaultMemory + ")", set: setMemory},
	{short: "s", long: "block", arg: "SIZE", does: "largest read or write, up to 1M and -m/2 (default " + defaultBlock + ")", set: setBlock},
	{long: "obs", arg: "SIZE", does: "write whole blocks of SIZE, as a tape needs", set: to(parseMemory, func(p *parser) *size { return &p.wholeBlock })},
	{long: "depth", arg: "N", does: "N reads in flight; N writes if --direct or to s3://", set: to(parseNumber, func(p *parser) *int { return &p.depth })},
	{short: "P", long: "start-above", arg: "N%", does: "after it was empty, write only once it is N% full", set: setStart},
	{short: "p", long: "resume-below", arg: "N%", does: "after it was full, read only once it is down to N%", set: setResume},
	{long: "direct", does: "bypass the page cache; rounds -m up to 64K, -s to 4K", set: setDirect},

	{short: "r", long: "read-rate", arg: "SIZE", group: "The pace", does: "read at most SIZE a second", set: setRead},
	{short: "R", long: "write-rate", arg: "SIZE", does: "write at most SIZE a second", set: setWrite},
	{short: "W", long: "timeout", arg: "TIME", does: "fail if an end moves nothing for TIME: 30, 0.5s, 10m", set: setTimeout},

	{short: "q", long: "quiet", group: "What it says", does: "no line and no summary, only errors", set: setQuiet},
	{short: "N", long: "name", arg: "NAME", does: "put NAME before the line", set: setName},
	{long: "size", arg: "SIZE", does: "expect SIZE, or the size of @FILE; not a limit", set: setSize},
	{long: "hash", arg: "HASH", does: "print a hash: md5, sha256 ...; list prints all names", set: setHash},
	{short: "h", long: "help", does: "print this; docs/objects.md has the flags for s3://", set: setHelp},
	{long: "version", does: "print the version", set: setVersion},
}
