package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkDisks are file systems that lie on another machine or in another process. The numbers that x/sys does not
// name are from the Linux sources and from statfs(2) of GNU coreutils.
var networkDisks = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.SMB2_SUPER_MAGIC: "SMB",
	unix.V9FS_MAGIC:       "9p",
	unix.FUSE_SUPER_MAGIC: "FUSE",
	unix.AFS_SUPER_MAGIC:  "AFS",
	unix.AFS_FS_MAGIC:     "AFS",
	unix.CODA_SUPER_MAGIC: "Coda",
	unix.CEPH_SUPER_MAGIC: "Ceph",
	unix.NCP_SUPER_MAGIC:  "NCP",
	0x0BD00BD0:            "Lustre",
	0x47504653:            "GPFS",
	0x19830326:            "BeeGFS",
	0x786F4256:            "VirtualBox shared folder",
	0xAAD7AAEA:            "PanFS",
	0xBACBACBC:            "VMware shared folder",
}

// RefuseNetworkDisk refuses a folder on a network file system: the state file is mapped into memory, and what such
// systems do to a mapped file destroys it.
func RefuseNetworkDisk(folder string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return fmt.Errorf("looking at the file system of %s: %w", folder, err)
	}
	return refuseKind(folder, uint32(stat.Type)) //nolint:gosec // a magic number of 32 bits, whatever its type on this machine
}

func refuseKind(folder string, magic uint32) error {
	if kind, found := networkDisks[magic]; found {
		return fmt.Errorf("%s is on a network file system (%s), which destroys a state file sooner or later. Put it on a local disk or a block volume and name that in the setting state", folder, kind)
	}
	return nil
}
