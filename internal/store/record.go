package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"elevate/internal/pim"
)

// recordVersion is the version of a record's own form, the first byte of its value.
const recordVersion = 1

// macSize is the size of a code of keyset.Set: a key id and HMAC-SHA256.
const macSize = 37

const headSize = 1 + macSize

// What a code is for stands first in what it is computed over.
const (
	recordPurpose = "elevate state record"
	eventPurpose  = "elevate event chain"
)

// Tampered says that a record is not as Elevate wrote it.
type Tampered struct {
	Record string // bucket and key
}

// Error names the record.
func (t *Tampered) Error() string {
	return t.Record + " was changed outside Elevate (or belongs to another keyset): its authentication code does not fit. " +
		"Put the keyset back that it was written with; if it was that one, put the last backup in the file's place and start with -restored"
}

// Unwrap returns what may be shown to the person who asked.
func (t *Tampered) Unwrap() error {
	return pim.Errorf(pim.Internal, "Elevate's state file was changed from outside, so this was refused. Tell an administrator.")
}

func tampered(b bucket, key []byte) error { return &Tampered{Record: keyName(b, key)} }

// covered is what a record's code is computed over: a record fits in no other place.
func covered(into []byte, b bucket, key []byte, version byte, content []byte) []byte {
	into = append(into, recordPurpose...)
	for _, part := range [][]byte{[]byte(b.String()), key} {
		into = binary.AppendUvarint(into, uint64(len(part)))
		into = append(into, part...)
	}
	into = append(into, version)
	return append(into, content...)
}

// write stores v as the record of that key.
func (tx *Tx) write(b bucket, key []byte, v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", keyName(b, key), err)
	}
	return tx.writeContent(b, key, content)
}

func (tx *Tx) writeContent(b bucket, key, content []byte) error {
	tx.scratch = covered(tx.scratch[:0], b, key, recordVersion, content)
	value := make([]byte, 0, headSize+len(content))
	value = append(value, recordVersion)
	value = append(value, tx.db.keys.MAC(tx.scratch)...)
	return tx.putRaw(b, key, append(value, content...))
}

// read decodes the record of that key; ok is false when there is none.
func read[T any](tx *Tx, b bucket, key []byte) (v T, ok bool, err error) {
	value := tx.get(b, key)
	if value == nil {
		return v, false, nil
	}
	err = tx.decode(b, key, value, &v)
	return v, err == nil, err
}

// list decodes all records of a bucket.
func list[T any](tx *Tx, b bucket) ([]T, error) {
	var all []T
	err := tx.scan(b, nil, nil, func(key, value []byte) (bool, error) {
		var v T
		if err := tx.decode(b, key, value, &v); err != nil {
			return false, err
		}
		all = append(all, v)
		return true, nil
	})
	return all, err
}

func (tx *Tx) decode(b bucket, key, value []byte, into any) error {
	content, err := tx.unseal(b, key, value)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("decoding %s: %w", keyName(b, key), err)
	}
	return nil
}

// unseal checks a record's code and returns its content.
func (tx *Tx) unseal(b bucket, key, value []byte) ([]byte, error) {
	if len(value) < headSize {
		return nil, tampered(b, key)
	}
	version, mac, content := value[0], value[1:headSize], value[headSize:]
	tx.scratch = covered(tx.scratch[:0], b, key, version, content)
	if tx.db.keys.Verify(mac, tx.scratch) != nil {
		return nil, tampered(b, key)
	}
	if version != recordVersion {
		return nil, fmt.Errorf("%s has the form %d, this program reads form %d", keyName(b, key), version, recordVersion)
	}
	return content, nil
}

// missing answers for a record that is not there.
func missing(format string, args ...any) error { return pim.Errorf(pim.NotFound, format, args...) }

// dangling answers for an index entry that leads to nothing, or to what does not agree with it.
func dangling(b bucket, key []byte) error {
	return errors.Join(fmt.Errorf("the index entry %s leads nowhere", keyName(b, key)), tampered(b, key))
}
