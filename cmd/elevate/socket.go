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
	"strings"
	"syscall"
	"time"
	"unicode"
)

// order is what the operator's commands send over the admin socket.
type order struct {
	Words []string `json:"words"`
	// stream is a file that the order is about; its content follows the order.
	stream string
	// room is where a backup is made when nobody serves.
	room string
}

// open opens the file that the order is about, or nothing.
func (o order) open() (io.ReadCloser, error) {
	if o.stream == "" {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return os.Open(o.stream)
}

// failedTrailer carries the error of an order whose output has begun already.
const failedTrailer = "Elevate-Error"

// startAdminSocket serves orders from the same user on this machine. The
// folder is closed to everybody else, and who connects is asked of the kernel.
func startAdminSocket(ctx context.Context, path string, op operator, log *slog.Logger) (*server, error) {
	if err := closedFolder(filepath.Dir(path), log); err != nil {
		return nil, err
	}
	if err := removeDeadSocket(ctx, path); err != nil {
		return nil, err
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

// removeDeadSocket removes what a serve that was killed left behind. A socket
// that somebody answers at belongs to another state file's serve.
func removeDeadSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the admin socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("admin_socket is %s, and a file that is no socket is there; remove it or set admin_socket to another path", path)
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return errors.Join(fmt.Errorf("another process answers at the admin socket %s; stop it, or set admin_socket to another path", path), c.Close())
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("finding out whether somebody answers at an admin socket that is there already: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing an old admin socket: %w", err)
	}
	return nil
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

// maxOrder bounds an order, not the stream behind it.
const maxOrder = 1 << 20

// ServeHTTP carries out an order of another process of the same user.
func (op operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var o order
	words := json.NewDecoder(io.LimitReader(r.Body, maxOrder))
	if err := words.Decode(&o); err != nil || len(o.Words) == 0 {
		http.Error(w, "not an order", http.StatusBadRequest)
		return
	}
	// An export and a stream may take long; the deadlines of the public server do not fit.
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		http.Error(w, "no answer possible", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Trailer", failedTrailer)
	stream := io.MultiReader(words.Buffered(), r.Body)
	if err := op.do(r.Context(), o.Words, stream, w); err != nil {
		w.Header().Set(failedTrailer, oneLine(err))
	}
	// Who still sends would not hear the answer.
	_, _ = io.Copy(io.Discard, stream)
}

// maxLine is the longest error that goes over the socket and into a list.
const maxLine = 1 << 10

// oneLine is what an error says, in one line that a header and a table can hold.
func oneLine(err error) string {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\n", "; "))
	if len(line) <= maxLine {
		return line
	}
	const more = "…"
	return strings.ToValidUTF8(line[:maxLine-len(more)], "") + more
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
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNobodyServes
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the admin socket is another user's; run this command as the user that serves, or as root (%w)", err)
	case err != nil:
		return nil, fmt.Errorf("the admin socket cannot be reached: %w", err)
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

// overSocket has a running serve carry out an order. What the order is about
// goes behind it, a piece at a time.
func overSocket(ctx context.Context, d door, o order, stream io.Reader, out io.Writer) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	body = append(body, '\n')
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://elevate/order", io.MultiReader(bytes.NewReader(body), stream))
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
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the running elevate serve answered with status %d; is it another version than this command?", resp.StatusCode)
	}
	if _, err := io.Copy(out, bufio.NewReader(resp.Body)); err != nil {
		return fmt.Errorf("reading the answer of the running elevate serve: %w", err)
	}
	if said := resp.Trailer.Get(failedTrailer); said != "" {
		return errors.New(said)
	}
	return nil
}
