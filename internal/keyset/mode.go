package keyset

import (
	"fmt"
	"os"
)

// CheckMode refuses a keyset file that anybody but its owner can read or write.
func CheckMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at the keyset: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the keyset %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("the keyset %s has mode %04o: others than its owner can use it. Run: chmod 600 %s", path, mode, path)
	}
	return nil
}
