// Package s3 keeps objects in a bucket of Amazon S3 or of any service that
// speaks its protocol. It has storage.Objects and nothing else; storage.Combine
// adds it to another store.
//
// Conditional puts need a service that honours If-None-Match and If-Match on
// writes, as S3 does. All tenants share one bucket: the credentials are the
// operator's, and tenants are kept apart by the first part of each key.
package s3

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Tenant  = (*tenant)(nil)
	_ storage.Objects = (*objects)(nil)
)

// Options are the settings of a [Store]. Bucket is required.
type Options struct {
	// Bucket is the name of an existing bucket.
	Bucket string
	// Prefix begins every key, so that a bucket can be shared: at most 64 of
	// a-z, 0-9, '.', '_', '-' and '/'.
	Prefix string
	// Region is the bucket's; "us-east-1" when empty, which services other than
	// Amazon's usually ignore.
	Region string
	// Endpoint is the service's URL; empty means Amazon's.
	Endpoint string
	// PathStyle puts the bucket into the path instead of the host name, as most
	// services other than Amazon's want it.
	PathStyle bool
	// AccessKey and SecretKey are the credentials, with SessionToken when they
	// are temporary. Provider, when it is not nil, is asked instead: for roles
	// and profiles.
	AccessKey, SecretKey, SessionToken string
	Provider                           aws.CredentialsProvider
	// HTTPClient sends the requests; nil means one of its own.
	HTTPClient *http.Client
	// PartSize is how much of an object is held in memory while it is stored:
	// 8 MiB when 0, and at least 5 MiB. What is longer is stored in parts, which
	// double after each thousand of them.
	PartSize int64
	// Attempts is how often a request is tried when the service cannot be
	// reached, 3 when 0. Conditional puts are tried once.
	Attempts int
	// Now is the clock for the time that Put returns; nil means time.Now.
	Now func() time.Time
}

// A Store is a storage.Store with objects only. It is safe for concurrent use.
type Store struct {
	client   *s3.Client
	bucket   string
	prefix   string
	partSize int64
	now      func() time.Time
	closed   atomic.Bool
}

// Open returns a store. It sends nothing: a bucket that is not there, or that
// the credentials may not use, is found out by the first call.
func Open(opts Options) (*Store, error) {
	switch {
	case opts.Bucket == "":
		return nil, invalid.Missing("Bucket", "the name of a bucket")
	case len(opts.Prefix) > 64 || strings.Trim(opts.Prefix, "abcdefghijklmnopqrstuvwxyz0123456789._-/") != "":
		return nil, invalid.Field("Prefix", opts.Prefix, "at most 64 of a-z, 0-9, '.', '_', '-' and '/'")
	case opts.PartSize != 0 && (opts.PartSize < minPart || opts.PartSize > maxPart):
		return nil, invalid.Fieldf("PartSize", opts.PartSize, "%d to %d bytes, or 0 for 8 MiB", minPart, int64(maxPart))
	case opts.Attempts < 0 || opts.Attempts > 100:
		return nil, invalid.Field("Attempts", opts.Attempts, "1 to 100, or 0 for 3")
	case opts.Provider == nil && (opts.AccessKey == "" || opts.SecretKey == ""):
		return nil, invalid.Secret("AccessKey", "an access key with its secret key, or a Provider")
	}
	if opts.Region == "" {
		opts.Region = "us-east-1"
	}
	if opts.Attempts == 0 {
		opts.Attempts = 3
	}
	if opts.PartSize == 0 {
		opts.PartSize = 8 << 20
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Provider == nil {
		opts.Provider = credentials.NewStaticCredentialsProvider(opts.AccessKey, opts.SecretKey, opts.SessionToken)
	}
	o := s3.Options{
		Region:           opts.Region,
		UsePathStyle:     opts.PathStyle,
		RetryMaxAttempts: opts.Attempts,
		Credentials:      aws.NewCredentialsCache(opts.Provider),
		// Checksums beyond what the protocol asks for are refused by services
		// that do not know them yet.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if opts.HTTPClient != nil {
		o.HTTPClient = opts.HTTPClient
	}
	if opts.Endpoint != "" {
		if !strings.HasPrefix(opts.Endpoint, "http://") && !strings.HasPrefix(opts.Endpoint, "https://") {
			return nil, invalid.Field("Endpoint", opts.Endpoint, "a URL that begins with https:// or http://")
		}
		o.BaseEndpoint = aws.String(opts.Endpoint)
	}
	return &Store{
		client: s3.New(o), bucket: opts.Bucket, prefix: opts.Prefix, partSize: opts.PartSize, now: opts.Now,
	}, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	return &tenant{Unsupported: storage.Unsupported{Tenant: id, Engine: "s3"}, store: s}, nil
}

// Directory returns an ErrUnsupported.
func (s *Store) Directory() (storage.Directory, error) {
	return storage.Unsupported{Engine: "s3"}.Directory()
}

// Close makes further calls fail. Readers that are open go on.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *Store) usable() error {
	if s.closed.Load() {
		return fmt.Errorf("s3: %w", storage.ErrClosed)
	}
	return nil
}

type tenant struct {
	storage.Unsupported
	store *Store
}

func (t *tenant) Objects(bucket string) (storage.Objects, error) {
	if err := storage.CheckName("bucket", bucket); err != nil {
		return nil, err
	}
	if err := t.store.usable(); err != nil {
		return nil, err
	}
	return &objects{store: t.store, folder: t.store.prefix + encode(string(t.ID())) + "/" + bucket + "/"}, nil
}
