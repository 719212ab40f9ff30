package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// order is what the operator's commands send over the admin socket.
type order struct {
	Words []string `json:"words"`
	// Stream is the content of a file that the order is about.
	Stream []byte `json:"stream,omitempty"`
}

// failedTrailer carries the error of an order whose output has begun already.
const failedTrailer = "Elevate-Error"

// startAdminSocket serves orders from the same user on this machine. The
// folder is closed to everybody else, and who connects is asked of the kernel.
func startAdminSocket(ctx context.Context, path string, op operator, log *slog.Logger) (*server, error) {
	if err := closedFolder(filepath.Dir(path), log); err != nil {
		return nil, err
	}
	// Only serve holds the state file's lock, so a socket that is there is left over.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing an old admin socket: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return serveOn(sameUser{l}, op, log), nil //nolint:contextcheck // stopping outlives what is stopped
}

// closedFolder makes the socket's folder, for its owner only. One that is there
// already is not changed, because it may be somebody else's too.
func closedFolder(folder string, log *slog.Logger) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("making the folder of the admin socket: %w", err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("looking at the folder of the admin socket: %w", err)
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o022 != 0:
		return fmt.Errorf("others may write to %s, the folder of the admin socket, and could put their own socket there; make it 0700 or set admin_socket to another folder", folder)
	case mode&0o077 != 0:
		log.Warn("admin_folder_open", "folder", folder, "advice", "chmod 700: the socket is for its owner only, its folder should be too")
	}
	return nil
}

// sameUser takes connections of the own user and of root only.
type sameUser struct{ net.Listener }

// Accept returns the next connection of an allowed user.
func (l sameUser) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUser(c); err == nil && (uid == os.Geteuid() || uid == 0) {
			return c, nil
		}
		_ = c.Close() // a stranger is told nothing
	}
}

// maxOrder bounds an order; an exported stream may be long.
const maxOrder = 1 << 30

// ServeHTTP carries out an order of another process of the same user.
func (op operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil || len(o.Words) == 0 {
		http.Error(w, "not an order", http.StatusBadRequest)
		return
	}
	// An export may take long; the deadline of the public server does not fit.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
		http.Error(w, "no answer possible", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Trailer", failedTrailer)
	if err := op.do(r.Context(), o.Words, bytes.NewReader(o.Stream), w); err != nil {
		w.Header().Set(failedTrailer, oneLine(err))
	}
}

func oneLine(err error) string {
	return string(bytes.ReplaceAll([]byte(err.Error()), []byte("\n"), []byte("; ")))
}

// errNobodyServes says that no process has the admin socket open.
var errNobodyServes = errors.New("no elevate serve is running")

// door is where a running serve takes orders.
type door struct {
	path string
	// state is the state file, whose owner is the one who serves.
	state string
}

// dial connects, and asks the kernel who is at the other end: somebody else's
// socket in that place could answer that the audit trail is in order.
func (d door) dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", d.path)
	if err != nil {
		return nil, errors.Join(errNobodyServes, err)
	}
	uid, err := peerUser(c)
	if err == nil && !mayServe(uid, os.Geteuid(), ownerOf(d.state)) {
		err = fmt.Errorf("the user %d answers at %s, and that is not whom the state file belongs to; nothing was sent", uid, d.path)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// mayServe reports whether a user may stand behind the admin socket: root, who
// asks, or the state file's owner.
func mayServe(uid, asks, owner int) bool {
	return uid == 0 || uid == asks || uid == owner && owner >= 0
}

// overSocket has a running serve carry out an order.
func overSocket(ctx context.Context, d door, o order, out io.Writer) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://elevate/order", bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if errors.Is(err, errNobodyServes) {
		return errNobodyServes
	}
	if err != nil {
		return fmt.Errorf("asking the running elevate serve: %w", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(out, bufio.NewReader(resp.Body)); err != nil {
		return fmt.Errorf("reading the answer of the running elevate serve: %w", err)
	}
	if said := resp.Trailer.Get(failedTrailer); said != "" {
		return errors.New(said)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the running elevate serve answered with status %d", resp.StatusCode)
	}
	return nil
}
