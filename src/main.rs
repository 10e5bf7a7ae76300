//! The meal-planner program: hands its arguments to the command line.

fn main() -> std::process::ExitCode {
    meal_planner::cli::main()
}
