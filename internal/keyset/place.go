package keyset

import "encoding/binary"

// A Place is where a sealed value belongs. A value that was sealed for one place opens in no other, so nobody who can
// write the state file can move a session to another person, chat account, bucket or version.
type Place struct {
	// Bucket is the name of the state file's bucket.
	Bucket string
	// Tenant is the Entra tenant's id.
	Tenant string
	// Object is the person's object id in Entra.
	Object string
	// Account is the chat account, for example "slack/T0123456789/U0123456789".
	Account string
	// Version is the version of the sealed value's form.
	Version uint64
}

// AssociatedData encodes the place. Each part is preceded by its length, so that no two places give the same bytes,
// whatever characters their parts hold.
func (p Place) AssociatedData() []byte {
	var data []byte
	for _, part := range []string{p.Bucket, p.Tenant, p.Object, p.Account} {
		data = binary.AppendUvarint(data, uint64(len(part)))
		data = append(data, part...)
	}
	return binary.BigEndian.AppendUint64(data, p.Version)
}
