package store_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"elevate/internal/store"
)

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	for kind, magic := range map[string]uint32{
		"NFS": unix.NFS_SUPER_MAGIC, "CIFS": unix.CIFS_SUPER_MAGIC, "SMB": unix.SMB2_SUPER_MAGIC, "9p": unix.V9FS_MAGIC,
		"FUSE": unix.FUSE_SUPER_MAGIC, "AFS": unix.AFS_SUPER_MAGIC, "Ceph": unix.CEPH_SUPER_MAGIC, "Lustre": 0x0BD00BD0,
	} {
		err := store.RefuseKind("/data", magic)
		if err == nil || !strings.Contains(err.Error(), kind) || !strings.Contains(err.Error(), "/data") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for kind, magic := range map[string]uint32{
		"ext4": unix.EXT4_SUPER_MAGIC, "xfs": unix.XFS_SUPER_MAGIC, "btrfs": unix.BTRFS_SUPER_MAGIC, "tmpfs": unix.TMPFS_MAGIC,
		"overlay": unix.OVERLAYFS_SUPER_MAGIC,
	} {
		if err := store.RefuseKind("/data", magic); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := store.RefuseNetworkDisk("/no such folder"); err == nil {
		t.Error("a folder that is not there passes")
	}
}
