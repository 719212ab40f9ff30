package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that is measured.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	first  string // its first line
}

// start starts a program and waits for its first line on standard output.
func start(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	p, out, err := launch(ctx, env, name, args...)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	p.first, err = lines.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s ended: %s", name, p.stderr.String()), p.cmd.Wait())
	}
	p.first = strings.TrimSpace(p.first)
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until the process ends
	return p, nil
}

// launch starts a program, whose standard output has to be read.
func launch(ctx context.Context, env []string, name string, args ...string) (*process, io.Reader, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...)} //nolint:gosec // this program, or the one that was named
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.stderr
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 20 * time.Second
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return p, out, p.cmd.Start()
}

// stop interrupts a process and waits for its end.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	return nil
}

// freeze lets a process stand still, so that it takes nothing from what is measured beside it.
func (p *process) freeze(still bool) error {
	if still {
		return p.cmd.Process.Signal(syscall.SIGSTOP)
	}
	return p.cmd.Process.Signal(syscall.SIGCONT)
}

// ticks is how many of the kernel's ticks are a second, on every Linux.
const ticks = 100

// cpu is the processor time that a process has used.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(after)
	var sum time.Duration
	for _, at := range []int{11, 12} { // utime and stime, proc(5)
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * time.Second / ticks
	}
	return sum, nil
}
