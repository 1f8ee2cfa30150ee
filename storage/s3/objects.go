package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// Bounds of the protocol: parts but the last have at least 5 MiB and at most
// 5 GiB, and there are at most ten thousand.
const (
	minPart    = 5 << 20
	maxPart    = 1 << 30 // it is held in memory
	growEvery  = 1000
	octets     = "application/octet-stream"
	abortAfter = 15 * time.Second
)

type objects struct {
	store  *Store
	folder string // of all keys, with its slash
}

func (o *objects) check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return err
	}
	return o.store.usable()
}

func (o *objects) stored(key string) *string { return aws.String(o.folder + encode(key)) }

func (o *objects) Put(ctx context.Context, key string, content io.Reader, opts *storage.PutOptions) (storage.Object, error) {
	if err := o.check(ctx, key); err != nil {
		return storage.Object{}, err
	}
	if err := opts.Validate(); err != nil {
		return storage.Object{}, err
	}
	var p storage.PutOptions
	if opts != nil {
		p = *opts
	}
	if p.ContentType == "" {
		p.ContentType = octets
	}
	part := make([]byte, 0, min(o.store.partSize, 64<<10))
	part, ended, err := fill(ctx, content, part, o.store.partSize)
	if err != nil {
		return storage.Object{}, err
	}
	object := storage.Object{Key: key, ContentType: p.ContentType, Modified: o.store.now(), Metadata: decoded(encodeMetadata(p.Metadata))}
	if ended {
		object.Size = int64(len(part))
		object.ETag, err = o.putWhole(ctx, key, part, p)
	} else {
		object.Size, object.ETag, err = o.putParts(ctx, key, part, content, p)
	}
	if err != nil {
		return storage.Object{}, err
	}
	return object, nil
}

// decoded is a copy of the metadata as they will be read.
func decoded(stored map[string]string) map[string]string {
	m, err := decodeMetadata(stored)
	if err != nil {
		return nil
	}
	return m
}

// fill reads into part until it has size bytes or the content ends.
func fill(ctx context.Context, content io.Reader, part []byte, size int64) ([]byte, bool, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if int64(len(part)) == size {
			return part, false, nil
		}
		if len(part) == cap(part) {
			grown := make([]byte, len(part), min(size, 2*int64(cap(part))))
			copy(grown, part)
			part = grown
		}
		n, err := content.Read(part[len(part):cap(part)])
		part = part[:len(part)+n]
		if errors.Is(err, io.EOF) {
			return part, true, ctx.Err()
		}
		if err != nil {
			return nil, false, fmt.Errorf("s3: reading what is to be stored: %w", err)
		}
	}
}

// conditions are the headers of a conditional write.
func conditions(p storage.PutOptions) (ifNoneMatch, ifMatch *string) {
	if p.IfAbsent {
		ifNoneMatch = aws.String("*")
	}
	if p.IfMatch != "" {
		ifMatch = aws.String(p.IfMatch)
	}
	return ifNoneMatch, ifMatch
}

// once keeps the SDK from repeating a conditional write: the second would meet
// what the first, whose answer was lost, has stored.
func once(p storage.PutOptions) func(*s3.Options) {
	return func(o *s3.Options) {
		if p.IfAbsent || p.IfMatch != "" {
			o.RetryMaxAttempts = 1
			o.Retryer = aws.NopRetryer{}
		}
	}
}

// unmet turns "there is no such object" into the conflict that it is for a
// write that wanted to replace one.
func unmet(p storage.PutOptions, err error) error {
	if p.IfMatch != "" && errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("s3: storing an object: %w", storage.ErrConflict)
	}
	return err
}

func (o *objects) putWhole(ctx context.Context, key string, content []byte, p storage.PutOptions) (string, error) {
	in := &s3.PutObjectInput{
		Bucket: &o.store.bucket, Key: o.stored(key), Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))),
		ContentType: &p.ContentType, Metadata: encodeMetadata(p.Metadata),
	}
	in.IfNoneMatch, in.IfMatch = conditions(p)
	out, err := o.store.client.PutObject(ctx, in, once(p))
	if err != nil {
		return "", unmet(p, translated(ctx, "storing an object", err))
	}
	return aws.ToString(out.ETag), nil
}

// putParts stores part and what follows it. One part is in memory at a time.
func (o *objects) putParts(ctx context.Context, key string, part []byte, content io.Reader, p storage.PutOptions) (size int64, etag string, err error) {
	upload, err := o.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &o.store.bucket, Key: o.stored(key), ContentType: &p.ContentType, Metadata: encodeMetadata(p.Metadata),
	})
	if err != nil {
		return 0, "", translated(ctx, "beginning to store an object", err)
	}
	defer func() {
		if err == nil {
			return
		}
		// Parts that stay behind cost money; a cancelled put cleans up as well.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortAfter)
		defer cancel()
		_, abort := o.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &o.store.bucket, Key: o.stored(key), UploadId: upload.UploadId})
		if abort != nil && codeOf(abort) != "NoSuchUpload" {
			err = errors.Join(err, translated(ctx, "removing the parts of an object that was not stored", abort))
		}
	}()
	var parts []types.CompletedPart
	partSize := o.store.partSize
	for ended := false; ; {
		number := int32(len(parts) + 1)
		out, err := o.store.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &o.store.bucket, Key: o.stored(key), UploadId: upload.UploadId, PartNumber: &number,
			Body: bytes.NewReader(part), ContentLength: aws.Int64(int64(len(part))),
		})
		if err != nil {
			return 0, "", translated(ctx, "storing a part of an object", err)
		}
		parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: &number})
		size += int64(len(part))
		if ended {
			break
		}
		if len(parts)%growEvery == 0 {
			partSize = min(2*partSize, maxPart)
		}
		if part, ended, err = fill(ctx, content, part[:0], partSize); err != nil {
			return 0, "", err
		}
		if ended && len(part) == 0 {
			break
		}
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &o.store.bucket, Key: o.stored(key), UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	in.IfNoneMatch, in.IfMatch = conditions(p)
	out, err := o.store.client.CompleteMultipartUpload(ctx, in, once(p))
	if err != nil {
		return 0, "", unmet(p, translated(ctx, "storing an object", err))
	}
	return size, aws.ToString(out.ETag), nil
}

func (o *objects) Get(ctx context.Context, key string, r *storage.Range) (storage.Object, io.ReadCloser, error) {
	if err := o.check(ctx, key); err != nil {
		return storage.Object{}, nil, err
	}
	in := &s3.GetObjectInput{Bucket: &o.store.bucket, Key: o.stored(key)}
	if r != nil {
		if r.Offset < 0 || r.Length < 0 {
			_, _, err := r.Bounds(1 << 62)
			return storage.Object{}, nil, err
		}
		asked := "bytes=" + strconv.FormatInt(r.Offset, 10) + "-"
		// A length that would pass the largest number means to the end.
		if last := r.Offset + r.Length - 1; r.Length > 0 && last >= r.Offset {
			asked += strconv.FormatInt(last, 10)
		}
		in.Range = &asked
	}
	out, err := o.store.client.GetObject(ctx, in)
	if err != nil && r != nil && codeOf(err) == "InvalidRange" {
		return o.pastTheEnd(ctx, key, r)
	}
	if err != nil {
		return storage.Object{}, nil, translated(ctx, "reading an object", err)
	}
	size := aws.ToInt64(out.ContentLength)
	content := &body{ctx: ctx, r: out.Body, left: size}
	if r != nil {
		// "bytes 5-9/10": the last number is the size of the whole.
		_, whole, _ := strings.Cut(aws.ToString(out.ContentRange), "/")
		if size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return storage.Object{}, nil, errors.Join(fmt.Errorf("s3: reading an object: the service gave no range"), out.Body.Close())
		}
	}
	object, err := described(key, size, out.ETag, out.ContentType, out.LastModified, out.Metadata)
	if err != nil {
		return storage.Object{}, nil, errors.Join(err, out.Body.Close())
	}
	return object, content, nil
}

// pastTheEnd answers for a range that the service refused: services call the
// beginning of an empty object a range past its end.
func (o *objects) pastTheEnd(ctx context.Context, key string, r *storage.Range) (storage.Object, io.ReadCloser, error) {
	object, err := o.Stat(ctx, key)
	if err != nil {
		return storage.Object{}, nil, err
	}
	if _, _, err := r.Bounds(object.Size); err != nil {
		return storage.Object{}, nil, err
	}
	if object.Size > 0 {
		return storage.Object{}, nil, invalid.Field("Offset", r.Offset, "less than the object's size when it was read")
	}
	return object, io.NopCloser(strings.NewReader("")), nil
}

func described(key string, size int64, etag, contentType *string, modified *time.Time, metadata map[string]string) (storage.Object, error) {
	m, err := decodeMetadata(metadata)
	if err != nil {
		return storage.Object{}, fmt.Errorf("s3: %w: %w", storage.ErrCorrupt, err)
	}
	object := storage.Object{Key: key, Size: size, ETag: aws.ToString(etag), ContentType: aws.ToString(contentType), Modified: aws.ToTime(modified), Metadata: m}
	if object.ContentType == "" {
		object.ContentType = octets
	}
	return object, nil
}

func (o *objects) Stat(ctx context.Context, key string) (storage.Object, error) {
	if err := o.check(ctx, key); err != nil {
		return storage.Object{}, err
	}
	out, err := o.store.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.store.bucket, Key: o.stored(key)})
	if err != nil {
		return storage.Object{}, translated(ctx, "looking at an object", err)
	}
	return described(key, aws.ToInt64(out.ContentLength), out.ETag, out.ContentType, out.LastModified, out.Metadata)
}

func (o *objects) Delete(ctx context.Context, key string) error {
	if err := o.check(ctx, key); err != nil {
		return err
	}
	_, err := o.store.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.store.bucket, Key: o.stored(key)})
	if err = translated(ctx, "deleting an object", err); errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func (o *objects) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := errors.Join(ctx.Err(), o.store.usable()); err != nil {
			yield(storage.Object{}, err)
			return
		}
		in := &s3.ListObjectsV2Input{Bucket: &o.store.bucket, Prefix: aws.String(o.folder + encodePrefix(prefix))}
		if after != "" {
			in.StartAfter = aws.String(o.folder + encode(after))
		}
		for {
			page, err := o.store.client.ListObjectsV2(ctx, in)
			if err != nil {
				yield(storage.Object{}, translated(ctx, "listing objects", err))
				return
			}
			for _, c := range page.Contents {
				key, err := decode(strings.TrimPrefix(aws.ToString(c.Key), o.folder))
				// What another program has put there is no object of ours.
				if err != nil || !strings.HasPrefix(key, prefix) || storage.CheckText("key", key, storage.MaxObjectKey) != nil {
					continue
				}
				object := storage.Object{Key: key, Size: aws.ToInt64(c.Size), ETag: aws.ToString(c.ETag), Modified: aws.ToTime(c.LastModified)}
				if err := ctx.Err(); err != nil {
					yield(storage.Object{}, err)
					return
				}
				if !yield(object, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) || aws.ToString(page.NextContinuationToken) == "" {
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}
