package main

import (
	"context"
	"errors"
	"io"
)

var errLater = errors.New("not yet")

func measureHistory(context.Context, options, io.Writer) error { return errLater }
func measureStart(context.Context, options, io.Writer) error   { return errLater }
func measureMemory(context.Context, options, io.Writer) error  { return errLater }
func measureCalls(context.Context, options, io.Writer) error   { return errLater }
