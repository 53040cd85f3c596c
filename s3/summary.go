package s3

import "fmt"

// A Summary is what a call has done.
type Summary struct {
	Name string // s3://BUCKET/KEY
	// Bytes is how many bytes of the stream are safe, from the first on: on the
	// server, or in the ring.
	Bytes int64
	// Sent is how many bytes of request bodies were sent, including failed requests.
	Sent  int64
	Parts int
	Part  int64 // the size of a part
	// Retries is how many requests were repeated.
	Retries int64
	// Verified names the checksum by which the server and this program agree, or
	// is empty.
	Verified string
}

// String returns the summary in one line.
func (s Summary) String() string {
	text := fmt.Sprintf("%s: %s", s.Name, size(s.Bytes))
	if s.Parts > 1 {
		text += fmt.Sprintf(" in %d parts of %s", s.Parts, size(s.Part))
	}
	if s.Retries > 0 {
		text += fmt.Sprintf(", %d requests made again", s.Retries)
	}
	if s.Verified == "" {
		return text + ", not verified by the server"
	}
	return text + ", verified by " + s.Verified
}
