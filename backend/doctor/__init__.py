"""`manage.py op_doctor`: whether this installation can pay people, one line per finding."""
