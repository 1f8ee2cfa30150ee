package s3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ttai-go/ttai/storage"
)

// translated returns err as what the interface promises. Neither the keys nor
// the URL that the SDK puts into its errors are secret, but they are long, and
// stay behind the kind and the service's code.
func translated(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("s3: %s: %w", doing, ended)
	}
	code := codeOf(err)
	kind := storage.ErrUnavailable
	switch code {
	case "NoSuchKey", "NotFound":
		kind = storage.ErrNotFound
	case "PreconditionFailed", "ConditionalRequestConflict":
		kind = storage.ErrConflict
	case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage":
		kind = storage.ErrFull
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "MetadataTooLarge", "EntityTooLarge", "NotImplemented":
		return fmt.Errorf("s3: %s: %w", doing, err)
	}
	if code != "" && kind != storage.ErrUnavailable {
		return fmt.Errorf("s3: %s: %w (%s)", doing, kind, code)
	}
	return fmt.Errorf("s3: %s: %w: %w", doing, kind, err)
}

// codeOf returns the service's code, made up from the status where an answer
// has no body, as those to HEAD; empty when no answer came.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError" {
		return api.ErrorCode()
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		switch response.HTTPStatusCode() {
		case 404:
			return "NotFound"
		case 409:
			return "ConditionalRequestConflict"
		case 412:
			return "PreconditionFailed"
		case 416:
			return "InvalidRange"
		case 507:
			return "InsufficientStorage"
		}
	}
	return ""
}

// A body is the content of an object on its way. A connection that breaks is an
// ErrUnavailable, and an end before the announced length is one too.
type body struct {
	ctx  context.Context
	r    io.ReadCloser
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && b.left > 0:
		return n, translated(b.ctx, "reading an object", io.ErrUnexpectedEOF)
	case err != nil && !errors.Is(err, io.EOF):
		return n, translated(b.ctx, "reading an object", err)
	}
	return n, err
}

func (b *body) Close() error { return b.r.Close() }
