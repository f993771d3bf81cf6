"""Networks over time: deterministic, exact stochastic, leaping, hybrid, Langevin, linear noise, state projection.

Deterministic: ode; run, scipy_run, delays, gpu_odes (who makes the steps); step_control, explicit, tsitouras, rosenbrock, multistep,
sparse_lu, sparsity (the steps); equations, conditions, crossings, events, time_breaks, faults (what happens in one).
From it: steady_state, sensitivities, scan.
Exact: ssa; exact_run, stages (which arithmetic); lane_runs, lane_driver, lane_loop (single precision); scalar_runs, scalar_table,
scalar_loops, scalar_flow, row_walk (double); gpu_runs, cuda_device; forecast.
Steps of many reactions: tau_leaping, leap_loop, unit_processes; hybrid, hybrid_run, hybrid_loop; langevin, langevin_loop, timed_events;
leap_run, leap_steps (shared); pilot, costs (which method pays).
Laws of counts: state_projection, stationary_law, first_passage, passage_sample; count_law, state_space, projection_flow,
projection_powers. Moments: linear_noise, noise_parts.
Shared: requests, extrinsic, burn_in (how cells begin); molecules, jump_model; draws, streams; sampled_run, blocks, records,
trajectories, trajectory_store (how a run is divided and kept).
"""

__all__: list[str] = []
