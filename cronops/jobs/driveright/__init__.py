"""CR-012: bring the vehicles up to date with DriveRight, stage by stage."""
