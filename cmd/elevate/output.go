package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// output is where a command prints. It remembers what could not be written: a result that nobody can read is none.
type output struct {
	io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = err
	}
	return n, err
}

// lost is how a command ends: as it did, and with that its output was lost.
func (o *output) lost(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return err
	}
	if errors.Is(err, differs{}) || errors.Is(err, o.err) {
		err = nil
	}
	return errors.Join(err, fmt.Errorf("the output could not be written (%w), so what was printed is not all; look at where it goes and run the command again", bare(o.err)))
}

// lostIn is why what was printed there is not all of it, where it is not.
func lostIn(w io.Writer) error {
	switch o := w.(type) {
	case plain:
		return lostIn(o.Writer)
	case *output:
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.err
	}
	return nil
}

// bare is what the system says of a file, without the call and the path.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
