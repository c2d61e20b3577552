"""The hub's database, in memory."""
from jupyterhub import orm
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker


def new_session():
    """Return a session of a new database with JupyterHub's tables.

    JupyterHub's own function also looks at the revision of the tables. In old versions, that disables all loggers
    that exist, those of other tests included.
    """
    engine = create_engine('sqlite://')
    orm.Base.metadata.create_all(engine)
    return sessionmaker(bind=engine)()
