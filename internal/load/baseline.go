package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// group is how many commands a plain transaction carries.
const group = 64

// put is one put of plain bbolt.
type put struct{ bucket, key, value []byte }

// plain is a bbolt file that gets what commands write, without Elevate.
type plain struct {
	file *bolt.DB
	puts [][]put // by command
}

func openPlain(path string) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{InitialMmapSize: 256 << 20, FreelistType: bolt.FreelistMapType, NoStatistics: true})
}

// written reads what n commands wrote: what the file has after them and had not before.
func written(before, after string, n int) ([][]put, error) {
	old, err := openPlain(before)
	if err != nil {
		return nil, err
	}
	now, err := openPlain(after)
	if err != nil {
		return nil, errors.Join(err, old.Close())
	}
	all := make([][]put, n)
	err = old.View(func(was *bolt.Tx) error {
		return now.View(func(is *bolt.Tx) error {
			return is.ForEach(func(name []byte, b *bolt.Bucket) error {
				return deal(all, bytes.Clone(name), added(was.Bucket(name), b))
			})
		})
	})
	return all, errors.Join(err, old.Close(), now.Close())
}

// added lists what a bucket has got, in the order of the keys.
func added(was, is *bolt.Bucket) []put {
	var more []put
	cursor := is.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if was.Get(key) == nil {
			more = append(more, put{key: bytes.Clone(key), value: bytes.Clone(value)})
		}
	}
	return more
}

// deal gives each command its share of a bucket's puts, in an order like that in which they were written: by number,
// by time, or, where keys begin with an account, a person or a random id, in no order.
func deal(all [][]put, bucket []byte, puts []put) error {
	switch string(bucket) {
	case "events", "expiry":
	case "requests_role":
		slices.Reverse(puts) // the newest comes first
	default:
		seed := maphash.MakeSeed()
		slices.SortFunc(puts, func(a, b put) int {
			return cmp.Compare(maphash.Bytes(seed, a.key), maphash.Bytes(seed, b.key))
		})
	}
	if len(puts)%len(all) != 0 {
		return fmt.Errorf("%d commands put %d keys into %s", len(all), len(puts), bucket)
	}
	each := len(puts) / len(all)
	for i := range all {
		for _, p := range puts[i*each : (i+1)*each] {
			p.bucket = bucket
			all[i] = append(all[i], p)
		}
	}
	return nil
}

// inOne makes a single put of the puts of each command, of the same bytes, under the request's id.
func inOne(all [][]put) [][]put {
	single := make([][]put, len(all))
	for i, puts := range all {
		one := put{bucket: []byte("requests")}
		for _, p := range puts {
			if string(p.bucket) == "requests" {
				one.key = p.key
			}
			one.value = append(append(one.value, p.key...), p.value...)
		}
		single[i] = []put{one}
	}
	return single
}

// run puts what the commands from first up to end wrote, in transactions of 64.
func (p *plain) run(first, end int) (taken, error) {
	began := time.Now()
	for from := first; from < end; from += group {
		err := p.file.Update(func(tx *bolt.Tx) error {
			for _, puts := range p.puts[from:min(from+group, end)] {
				for _, one := range puts {
					if err := tx.Bucket(one.bucket).Put(one.key, one.value); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return taken{}, err
		}
	}
	return taken{lasted: time.Since(began), waited: make([]time.Duration, end-first)}, nil
}

// sizes says how many puts a command makes, and of how many bytes.
func sizes(all [][]put) (count, size int) {
	for _, p := range all[0] {
		count++
		size += len(p.key) + len(p.value)
	}
	return count, size
}

// syncTime is how long the disk takes to make one page durable.
func syncTime(dir string) (time.Duration, error) {
	file, err := os.Create(filepath.Join(dir, "sync")) //nolint:gosec // our own folder
	if err != nil {
		return 0, err
	}
	page := make([]byte, 4096)
	var t taken
	for i := range 100 {
		began := time.Now()
		if _, err = file.WriteAt(page, int64(i%8)*4096); err == nil {
			err = file.Sync()
		}
		if err != nil {
			break
		}
		t.waited = append(t.waited, time.Since(began))
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	return t.percentile(0.5), nil
}
