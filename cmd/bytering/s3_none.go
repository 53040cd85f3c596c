//go:build nos3

package main

func (s *stream) store() (store, error) {
	return nil, fail(exitRefused, "s3:// is not supported: this build has no S3")
}

// goOn is not called without a store.
func goOn(string) error { return nil }
