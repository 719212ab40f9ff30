package main

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerUser asks the kernel which user is at the other end of a Unix socket.
func peerUser(c net.Conn) (int, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return -1, errors.New("not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return -1, err
	}
	if failed != nil {
		return -1, failed
	}
	return int(cred.Uid), nil
}

// ownerOf is the user a file belongs to, or -1.
func ownerOf(path string) int {
	var stat unix.Stat_t
	if unix.Stat(path, &stat) != nil {
		return -1
	}
	return int(stat.Uid)
}
