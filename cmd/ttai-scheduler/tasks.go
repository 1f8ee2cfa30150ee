package main

import (
	"context"
	"encoding/json"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/workflow"
)

// The kinds of tasks that others can put into the queue: work that need not be done
// at once.
const (
	taskAnalysis = "analysis" // data: analysts.AnalysisJob
	taskScreener = "screener" // data: analysts.ScreenerJob
	taskJob      = "job"      // data: jobTask
)

// A jobTask asks for a run of a job.
type jobTask struct {
	Job string `json:"job"`
}

// doTasks works off the queue of tasks until ctx ends: each starts a workflow run
// under the task's key, so that it happens once however often it comes.
func (h *house) doTasks(ctx context.Context) error {
	queue, err := workflow.OpenTasks(h.tenant)
	if err != nil {
		return err
	}
	batches := workflow.Tasks()
	batches.Logger = h.logger
	counted := func(kind string, do workflow.TaskHandler) workflow.TaskHandler {
		return func(ctx context.Context, t workflow.Task) error {
			err := do(ctx, t)
			state := "done"
			if err != nil {
				state = "failed"
			}
			h.metrics.Add("ttai_tasks_total", 1, kind, state)
			return err
		}
	}
	return workflow.ConsumeTasks(ctx, queue, batches, map[string]workflow.TaskHandler{
		taskAnalysis: counted(taskAnalysis, starting[analysts.AnalysisJob](h, analysts.AnalysisWorkflow)),
		taskScreener: counted(taskScreener, starting[analysts.ScreenerJob](h, analysts.ScreenerWorkflow)),
		taskJob: counted(taskJob, func(ctx context.Context, t workflow.Task) error {
			var data jobTask
			if err := strictly(t.Data, &data); err != nil {
				return err
			}
			_, err := h.scheduler.RunNow(ctx, data.Job, "task."+idOf(t.Key))
			return err
		}),
	})
}

// starting handles a task by starting a workflow with its data.
func starting[In any](h *house, name string) workflow.TaskHandler {
	return func(ctx context.Context, t workflow.Task) error {
		var in In
		if err := strictly(t.Data, &in); err != nil {
			return err
		}
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		_, err = h.engine.Start(ctx, "task/"+idOf(t.Key), name, json.RawMessage(data))
		return err
	}
}
