package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = time.Second

// mapSize is mapped at once, so that a growing file seldom has to wait for readers. It takes addresses, not memory.
const mapSize = 256 << 20

func openFile(c Config, readOnly bool) (*bolt.DB, error) {
	check := c.CheckDisk
	if check == nil {
		check = RefuseNetworkDisk
	}
	path := c.Path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // what matters is where the file is, not where a link to it is
	}
	if err := check(filepath.Dir(path)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, explainOpen(c.Path, err)
		}
		return nil, err
	}
	if err := checkMode(c.Path, readOnly); err != nil {
		return nil, err
	}
	file, err := openBolt(c.Path, readOnly)
	if err != nil {
		return nil, explainOpen(c.Path, err)
	}
	if err := checkSize(file); err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, explainOpen(c.Path, err)
	}
	return file, nil
}

// checkMode refuses a file that everybody can read or write. The group is left to the administrator: Kubernetes gives
// a volume's files to one (fsGroup).
func checkMode(path string, mustExist bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !mustExist:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no state file %s: `elevate serve` makes it", path)
	case err != nil:
		return fmt.Errorf("the state file %s cannot be looked at: %w", path, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the state file %s is not a regular file", path)
	case info.Size() == 0:
		return fmt.Errorf("the state file %s is empty, so it lost what it held or was never begun. Put a backup in its place, or remove it where nothing was ever stored", path)
	case info.Mode().Perm()&0o007 != 0:
		return fmt.Errorf("the state file %s has mode %04o: everybody on this machine can use it. Run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return nil
}

var errDamaged = errors.New("its pages do not fit together")

// openBolt turns bbolt's panics over a damaged file, and the fault of reading behind its end, into an error.
func openBolt(path string, readOnly bool) (db *bolt.DB, err error) {
	var opened *os.File
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			_ = opened.Close() // gives back the lock; there is nothing to lose
			db, err = nil, fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return bolt.Open(path, 0o600, &bolt.Options{
		Timeout: lockTimeout, ReadOnly: readOnly, InitialMmapSize: mapSize,
		// A list of the free pages in the file costs a page for each commit; without it, opening reads the whole file.
		FreelistType: bolt.FreelistMapType, NoFreelistSync: false, NoStatistics: true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			var err error
			opened, err = os.OpenFile(name, flag, mode) //nolint:gosec // the path is the administrator's setting
			return opened, err
		},
	})
}

// checkSize finds a file that was cut off.
func checkSize(file *bolt.DB) error {
	return file.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(file.Path())
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes and should have at least %d", errDamaged, info.Size(), tx.Size())
		}
		return nil
	})
}

// inPlace says what happened to the file's name while it was open: what is written to a file that was removed or
// replaced is gone with the process. It is the committer's.
func (db *DB) inPlace() error {
	now, err := os.Stat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the state file %s was removed while it was in use", db.path)
	case err != nil:
		return err
	case !os.SameFile(db.opened, now):
		return fmt.Errorf("the state file %s was replaced while it was in use. Stop elevate before you put another file in its place", db.path)
	case now.Size() < db.opened.Size():
		return fmt.Errorf("the state file %s was cut off while it was in use", db.path)
	}
	db.opened = now
	return nil
}

// explainContent says what to do about a file whose records are not as this program and this keyset wrote them.
func explainContent(path string, err error) error {
	return fmt.Errorf("the state file %s: %w", path, err)
}

func explainOpen(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("another elevate process has the state file %s open. Only one can: stop it first, or let the commands ask it through its admin_socket", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("%s is not a state file of Elevate, or its beginning is damaged. Put the last backup in its place, or name another file in the setting state (%w)", path, err)
	case errors.Is(err, errDamaged):
		return fmt.Errorf("the state file %s is damaged: %w. Put the last backup in its place and start with -restored", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the state file %s may not be opened by this user: %w", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder of the state file %s does not exist: make it, with mode 0700", path)
	}
	return fmt.Errorf("the state file %s cannot be opened: %w", path, err)
}
