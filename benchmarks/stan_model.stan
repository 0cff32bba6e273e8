// The formulas of models/ in Stan; docstrings there hold the mathematics. stan_port.py puts the
// declarations of data and parameters, and the priors, in place of the three marked lines.
functions {
  // Columns are an orthonormal basis of the vectors of length n that add up to zero.
  matrix zero_sum_basis(int n) {
    matrix[n, n - 1] basis = rep_matrix(0, n, n - 1);
    for (j in 1 : n - 1) {
      basis[1 : j, j] = rep_vector(1 / sqrt(j * (j + 1.0)), j);
      basis[j + 1, j] = -j / sqrt(j * (j + 1.0));
    }
    return basis;
  }
  real student_cdf(real x) {
    real s = x / sqrt(1 + x * x / 4);
    return 0.5 + 0.375 * s * (1 - s * s / 12);
  }
  real negative_binomial(real value, real mu, real size) {
    real total = log(size + mu);
    return lgamma(value + size) - lgamma(size) - lgamma(value + 1) + size * (log(size) - total)
           + value * (log(mu) - total);
  }
  real beta_binomial_counts(real value, real total, real a, real b) {
    return lgamma(total + 1) - lgamma(value + 1) - lgamma(total - value + 1) + lgamma(value + a)
           + lgamma(total - value + b) - lgamma(total + a + b) - lgamma(a) - lgamma(b)
           + lgamma(a + b);
  }
  matrix level_kernel(real lean, real scale, real slip) {
    matrix[8, 8] out;
    for (a in 1 : 8) {
      row_vector[8] w;
      for (b in 1 : 8) w[b] = exp(lean * (b - a) - 0.5 * square((b - a) / scale));
      out[a] = (1 - slip) * w / sum(w) + slip / 8;
    }
    return out;
  }
  // What the answers of one pattern to a yes-or-no column say of absence and presence.
  vector binary_answers(array[] int y, array[] int kind_of, vector absent, vector present,
                        vector sensitivity, vector specificity, real halo) {
    vector[2] out = rep_vector(1, 2);
    for (q in 1 : num_elements(absent)) {
      vector[2] given = rep_vector(1, 2);
      for (r in 1 : size(y)) {
        if (kind_of[r] == q && y[r] != 2) {
          given[1] *= y[r] == 1 ? 1 - specificity[r] : specificity[r];
          given[2] *= y[r] == 1 ? sensitivity[r] : 1 - sensitivity[r];
        }
      }
      for (s in 1 : 2) {
        real p = s == 1 ? absent[q] : present[q];
        real read = p * exp(halo) / (1 - p + p * exp(halo));
        out[s] *= (1 - read) * given[1] + read * given[2];
      }
    }
    return out;
  }
  // What the answers to 'whose use' say of none, own, others and both.
  vector whose_answers(array[] int y, real shared_error, real error) {
    vector[3] given = rep_vector(1, 3);
    for (r in 1 : size(y)) {
      if (y[r] > 0) {
        for (u in 1 : 3) given[u] *= y[r] == u ? 1 - error : error / 2;
      }
    }
    return append_row(sum(given) / 3,
                      (1 - shared_error) * given + shared_error / 2 * (sum(given) - given));
  }
}
data {
  // DATA
}
transformed data {
  array[16] int level_of;
  array[16] int tracks;
  for (s in 1 : 16) {
    level_of[s] = (s + 1) %/% 2;
    tracks[s] = 1 + (s + 1) % 2;
  }
}
parameters {
  // PARAMETERS
}
model {
  // PRIORS

  // Workers
  array[3] vector[n_years] log_workers;
  vector[3] level = log([workers_alignment, workers_capabilities, workers_interpretability]');
  for (g in 1 : 3) {
    log_workers[g] = level[g] + worker_growth[g] * year_offset[g]'
                     + worker_shock_sd * (shock_design[g] * worker_shock_z[g]');
  }
  vector[size(definition_offset) + 1] offsets = append_row(definition_offset, 0);
  for (i in 1 : num_elements(workers_value)) {
    real centre = log_workers[workers_group[i], workers_year[i]] + offsets[workers_definition[i]];
    real scale = sqrt(square(worker_error) * (1 + workers_unverified[i]) + square(workers_spread[i]));
    if (workers_bound[i] == 1) {
      real t = (workers_threshold[i] - centre) / scale;
      target += workers_weight[i] * log(student_cdf(workers_value[i] == 1 ? t : -t) + 1e-300);
    } else {
      real z = (workers_value[i] - centre) / scale;
      target += workers_weight[i] * (-log(scale) - 2.5 * log1p(z * z / 4));
    }
  }

  // Output
  vector[n_years] change = log_workers[3] - log_workers[3, reference_year];
  for (i in 1 : num_elements(lists_value)) {
    real mu = list_level[lists_list[i]] * exp(output_elasticity * change[lists_year[i]]);
    target += lists_weight[i] * negative_binomial(lists_value[i], mu, list_dispersion);
  }
  for (i in 1 : num_elements(fte_value)) {
    target += fte_weight[i] * normal_lpdf(fte_value[i] | fte_level
        + agenda_share_sd * agenda_share_z[fte_agenda[i]],
        sqrt(square(fte_error) + square(fte_spread[i])));
  }

  // Faults
  real mixed = fault_no_learning + (1 - fault_no_learning) * fault_mixed_chance;
  for (i in 1 : num_elements(studies_value)) {
    target += studies_weight[i] * beta_binomial_counts(studies_value[i], studies_total[i],
        mixed * fault_concentration, (1 - mixed) * fault_concentration);
  }
  vector[3] world = logit(diagnosis_rate) + diagnosis_world_sd * diagnosis_world_z;
  vector[3] task = diagnosis_task_sd * diagnosis_task_z;
  for (i in 1 : num_elements(diagnosis_value)) {
    real rate = inv_logit(world[diagnosis_world[i]] + task[diagnosis_task[i]]
                          - diagnosis_practice * diagnosis_production[i]);
    target += diagnosis_weight[i] * beta_binomial_counts(diagnosis_value[i], diagnosis_total[i],
        rate * diagnosis_concentration, (1 - rate) * diagnosis_concentration);
  }
  vector[3] shares = [(1 - fault_learned_share) * fault_no_learning,
                      (1 - fault_learned_share) * (1 - fault_no_learning), fault_learned_share]';
  vector[8] diagnosed = rep_vector(0, 8);
  for (k in 2 : 8) {
    int open = min(k - 1, 3);
    diagnosed[k] = dot_product(shares[1 : open],
                               inv_logit(world[1 : open] + task[open] - diagnosis_practice));
  }

  // Uses
  vector[2] lag = [capabilities_lag, alignment_lag]';
  for (i in 1 : num_elements(lags_low)) {
    real l = lag[lags_side[i]];
    real share = (exp(-lags_low[i] / l) - exp(-lags_high[i] / l)) / (1 - exp(-lags_age[i] / l));
    target += lags_weight[i] * log((1 - lag_slip) * share + lag_slip / lags_cells[i]);
  }
  real elasticity = elasticity_base + elasticity_weight * use_ratio
                    + elasticity_sd * worker_ratio_elasticity_z;
  array[2] vector[8] factor;
  factor[1] = exp(capabilities_level_effect) .* (1 + bottleneck * diagnosed);
  factor[2] = exp(alignment_level_effect);
  array[2] vector[2] tracked = {[1, exp(-tracking_capabilities)]', [1, exp(tracking_alignment)]'};
  vector[2] own = [capabilities_own, alignment_own]';

  // States of the works of each cell
  vector[n_years] effort = log1p(cumulative_sum(exp(log_workers[3])));
  effort -= effort[centre_year];
  vector[7] step = logit([step_1, step_2, step_3, step_4, step_5, step_6, step_7]');
  vector[7] slope = [1, 1, 1, step_4_discrimination, upper_discrimination, upper_discrimination,
                     upper_discrimination]';
  vector[n_agendas] agenda = maturity_family_effect[family_of] + maturity_agenda_own;
  array[n_cells] vector[16] state;
  array[n_cells, 2] matrix[16, 4] used;
  for (c in 1 : n_cells) {
    int a = cells_agenda[c];
    int t = cells_year[c];
    vector[7] p = inv_logit(step + slope * (agenda[a]
        + (effort_slope + effort_slope_sd * effort_slope_z[a]) * effort[t]
        + maturity_purposive * cells_purposive[c]));
    vector[8] of_level = append_row(1, exp(cumulative_sum(log(p)))) .* append_row(1 - p, 1);
    vector[8] track = inv_logit(logit(tracking_share) + tracking_agenda_sd * tracking_agenda_z[a]
        + tracking_trend * (t - centre_year) + tracking_purposive * cells_purposive[c]
        + tracking_level_effect);
    real seen = cells_age[c] - reporting_delay * (1 - exp(-cells_age[c] / reporting_delay));
    real race = 0.5 * (use_ratio + elasticity * (log_workers[2, t] - log_workers[1, t] - log_ratio));
    vector[2] base = log(use_rate) + [race, -race]'
        + [capabilities_agenda_effect[a] + capabilities_year_effect[t],
           alignment_agenda_effect[a] + alignment_year_effect[t]]'
        + [capabilities_purposive, alignment_purposive]' * cells_purposive[c];
    for (s in 1 : 16) {
      real z = track[level_of[s]];
      state[c][s] = of_level[level_of[s]] * (tracks[s] == 2 ? z : 1 - z);
    }
    for (g in 1 : 2) {
      vector[16] m = exp(base[g]) * factor[g][level_of] .* tracked[g][tracks];
      vector[16] none_own = exp(-own[g] * m);
      vector[16] none_others = exp(-(1 - exp(-seen / lag[g])) * m);
      used[c, g] = [(none_own .* none_others)', ((1 - none_own) .* none_others)',
                    (none_own .* (1 - none_others))', ((1 - none_own) .* (1 - none_others))']';
    }
  }

  // Ratings: what each distinct pattern of answers says, then one dot product a row
  array[n_kinds] matrix[8, 8] shared;
  for (q in 1 : n_kinds) shared[q] = level_kernel(0, shared_level_scale[q], shared_level_slip[q]);
  matrix[n_raters, 3] sensitivity;
  matrix[n_raters, 3] specificity;
  array[n_raters] matrix[8, 8] reads;
  for (r in 1 : n_raters) {
    sensitivity[r] = inv_logit(logit(rater_sensitivity)' + rater_spread_sd * rater_sensitivity_z[r]);
    specificity[r] = inv_logit(logit(rater_specificity)' + rater_spread_sd * rater_specificity_z[r]);
    reads[r] = level_kernel(rater_lean_effect[r], rater_level_scale[r], rater_level_slip[r]);
  }
  array[size(level_answers)] vector[8] of_level_answers;
  for (i in 1 : size(level_answers)) {
    of_level_answers[i] = rep_vector(1, 8);
    for (q in 1 : n_kinds) {
      vector[8] given = rep_vector(1, 8);
      for (r in 1 : n_raters) {
        if (kind_of[r] == q && level_answers[i, r] < 8) given .*= reads[r][ : , level_answers[i, r] + 1];
      }
      of_level_answers[i] .*= shared[q] * given;
    }
  }
  array[size(tracking_answers)] vector[2] of_tracking;
  for (i in 1 : size(tracking_answers)) {
    of_tracking[i] = binary_answers(tracking_answers[i], kind_of, 1 - shared_specificity[ : , 1],
        shared_sensitivity[ : , 1], sensitivity[ : , 1], specificity[ : , 1], 0);
  }
  array[2, size(use_answers)] vector[4] of_use;
  for (g in 1 : 2) {
    for (i in 1 : size(use_answers)) {
      vector[2] b = binary_answers(use_answers[i], kind_of, 1 - shared_specificity[ : , g + 1],
          shared_sensitivity[ : , g + 1], sensitivity[ : , g + 1], specificity[ : , g + 1],
          halo * use_tracked[i]);
      of_use[g, i] = whose_answers(use_whose[i], shared_own_error, rater_own_error)
                     .* [b[1], b[2], b[2], b[2]]';
    }
  }
  for (i in 1 : num_elements(ratings_weight)) {
    int c = ratings_cell[i];
    vector[16] p = state[c] .* of_level_answers[ratings_level[i]][level_of]
                   .* of_tracking[ratings_tracking[i]][tracks];
    real total = dot_product(p .* (used[c, 1] * of_use[1, ratings_capabilities[i]]),
                             used[c, 2] * of_use[2, ratings_alignment[i]]);
    target += ratings_weight[i] * log(total + 1e-300);
  }
}
