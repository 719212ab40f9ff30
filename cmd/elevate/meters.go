package main

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meters are the numbers on /metrics.
type meters struct {
	registry *prometheus.Registry
	effects  *prometheus.CounterVec
	graphs   *prometheus.CounterVec
	refusals *prometheus.CounterVec
}

func newMeters() *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "elevate", Name: name, Help: help}, labels)
	}
	m := &meters{
		registry: prometheus.NewRegistry(),
		effects:  counter("effects_total", "Runs of effects, by kind and outcome.", "kind", "outcome"),
		graphs:   counter("graph_calls_total", "Calls to Microsoft Graph, by operation and status; 0 where no answer came.", "operation", "status"),
		refusals: counter("refused_total", "Input that was refused before anything was read from it, by reason.", "reason"),
	}
	m.registry.MustRegister(m.effects, m.graphs, m.refusals, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// gauge shows a number that is read when somebody asks.
func (m *meters) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "elevate", Name: name, Help: help}, read))
}

func oneIf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

func (m *meters) effect(kind, outcome string) { m.effects.WithLabelValues(kind, outcome).Inc() }

func (m *meters) graph(operation string, status int) {
	m.graphs.WithLabelValues(operation, strconv.Itoa(status)).Inc()
}

func (m *meters) refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }

func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
