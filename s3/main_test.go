package s3

import (
	"io"
	"log"
	"os"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // it waits so long after the last attempt too
	log.SetOutput(io.Discard)                 // of net/http, where a server answers twice
	os.Exit(m.Run())
}
